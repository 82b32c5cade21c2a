# OpenSSH with keys only. Debian's sshd_config includes sshd_config.d first, and the first value wins.
#
# @param permit_root_login sshd's PermitRootLogin.
# @param allow_groups When not empty, only members of these groups get in.
# @param options Further settings, name to value.
class profile::ssh (
  Enum['no', 'prohibit-password', 'forced-commands-only'] $permit_root_login,
  Array[String[1]] $allow_groups,
  Hash[Pattern[/\A[A-Za-z0-9]+\z/], Variant[String[1], Integer]] $options,
) {
  package { 'openssh-server':
    ensure => installed,
  }

  file { '/etc/ssh/sshd_config.d/10-hardening.conf':
    ensure  => file,
    mode    => '0644',
    content => epp('profile/sshd.conf.epp', {
      permit_root_login => $permit_root_login,
      allow_groups      => $allow_groups,
      options           => $options,
    }),
    require => Package['openssh-server'],
  }

  # An image has no host keys. Debian's own sshd-keygen.service (since trixie) runs on a first boot only, and an empty
  # machine-id is none; this runs whenever they are missing.
  profile::unit { 'ssh-host-keys.service':
    source      => 'puppet:///modules/profile/ssh/ssh-host-keys.service',
    required_by => 'ssh.service',
    require     => Package['openssh-server'],
  }

  service { 'ssh':
    enable    => true,
    subscribe => File['/etc/ssh/sshd_config.d/10-hardening.conf'],
  }
}
