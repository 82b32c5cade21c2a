# Security fixes of Debian are installed every day; everything else comes with the next image.
#
# @param origins Patterns of unattended-upgrades for what may be installed.
# @param blacklist Packages left alone, as regular expressions.
# @param automatic_reboot Whether a kernel fix may restart the machine.
class profile::updates (
  Array[String[1], 1] $origins,
  Array[String[1]] $blacklist,
  Boolean $automatic_reboot,
) {
  package { 'unattended-upgrades':
    ensure => installed,
  }

  file { '/etc/apt/apt.conf.d/20auto-upgrades':
    ensure  => file,
    mode    => '0644',
    content => "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"1\";\n",
    require => Package['unattended-upgrades'],
  }

  file { '/etc/apt/apt.conf.d/52unattended-upgrades-image':
    ensure  => file,
    mode    => '0644',
    content => epp('profile/unattended-upgrades.epp', {
      origins          => $origins,
      blacklist        => $blacklist,
      automatic_reboot => $automatic_reboot,
    }),
    require => Package['unattended-upgrades'],
  }
}
