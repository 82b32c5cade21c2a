# The hypervisor.
#
# @param packages What is installed.
# @param guests_on_shutdown What becomes of running machines when the host goes down.
class profile::libvirt (
  Array[String[1], 1] $packages,
  Enum['suspend', 'shutdown'] $guests_on_shutdown,
) {
  package { $packages:
    ensure => installed,
  }

  file { '/etc/default/libvirt-guests':
    ensure  => file,
    mode    => '0644',
    content => "ON_BOOT=ignore\nON_SHUTDOWN=${guests_on_shutdown}\nSHUTDOWN_TIMEOUT=300\n",
    require => Package[$packages],
  }

  service { 'libvirtd':
    enable  => true,
    require => Package[$packages],
  }
}
