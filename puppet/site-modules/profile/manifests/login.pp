# The account people log in to. It has no password: keys come from here or, better, from the deployment.
#
# @param user Its name.
# @param groups Groups it is in, beside its own.
# @param shell Its shell.
# @param authorized_keys Lines of authorized_keys; the deployment usually adds its own.
# @param sudo Whether it may become root without a password.
class profile::login (
  Pattern[/\A[a-z][a-z0-9_-]*\z/] $user,
  Array[String[1]] $groups,
  Pattern[/\A\//] $shell,
  Array[String[1]] $authorized_keys,
  Boolean $sudo,
) {
  package { 'sudo':
    ensure => installed,
  }

  group { $user:
    ensure => present,
  }

  user { $user:
    ensure         => present,
    gid            => $user,
    groups         => $groups,
    membership     => minimum,
    shell          => $shell,
    home           => "/home/${user}",
    managehome     => true,
    purge_ssh_keys => false,
    require        => Package['sudo'],
  }

  # A dead end for passwords, not an empty one. useradd has locked it already, other layers may have not.
  exec { "lock the password of ${user}":
    command => "usermod --lock ${user}",
    unless  => "passwd --status ${user} | grep --quiet '^${user} L'",
    require => User[$user],
  }

  file { "/home/${user}/.ssh":
    ensure  => directory,
    owner   => $user,
    group   => $user,
    mode    => '0700',
    require => User[$user],
  }

  if $authorized_keys =~ Array[String[1], 1] {
    file { "/home/${user}/.ssh/authorized_keys":
      ensure  => file,
      owner   => $user,
      group   => $user,
      mode    => '0600',
      content => "${authorized_keys.join("\n")}\n",
    }
  }

  $sudo_ensure = $sudo ? { true => file, false => absent }
  file { "/etc/sudoers.d/50-${user}":
    ensure       => $sudo_ensure,
    mode         => '0440',
    content      => "${user} ALL=(ALL:ALL) NOPASSWD: ALL\n",
    validate_cmd => '/usr/sbin/visudo --check --file=%',
    require      => Package['sudo'],
  }
}
