# nova-compute. The site's part (transport_url, passwords, my_ip) arrives as *.conf in /etc/nova/site.conf.d, which
# nova-compute waits for.
#
# @param package The hypervisor's flavour of nova-compute.
# @param conf Sections of nova.conf, without secrets.
class profile::nova::compute (
  String[1] $package,
  Hash[String[1], Hash[String[1], Variant[Scalar, Array[Scalar]]]] $conf,
) {
  package { $package:
    ensure => installed,
  }

  # The package writes the address of the machine that installs it into nova.conf and into debconf's memory.
  profile::ini { '/etc/nova/nova.conf':
    sections => $conf,
    group    => 'nova',
    mode     => '0640',
    require  => Package[$package],
  }

  exec { 'forget the address of the build machine':
    command  => 'echo nova-common nova/my-ip string 127.0.0.1 | debconf-set-selections',
    unless   => "debconf-show nova-common | grep --quiet 'nova/my-ip: 127.0.0.1$'",
    provider => shell,
    require  => Package[$package],
  }

  contain profile::identity::iscsi
  Class['profile::identity::iscsi'] -> Package[$package]

  file { '/etc/nova/site.conf.d':
    ensure  => directory,
    owner   => 'root',
    group   => 'nova',
    mode    => '0750',
    require => Package[$package],
  }

  profile::openstack_daemon { 'nova-compute':
    site_directory => '/etc/nova/site.conf.d',
    require        => Package[$package],
  }
}
