# Agents of neutron. The site's part (transport_url, passwords, local_ip) arrives as *.conf in /etc/neutron/site.conf.d,
# which the agents wait for.
#
# @param agents Which agents this machine runs; each is a package and a service of the same name.
# @param conf Sections of neutron.conf, without secrets.
# @param agent_conf The agents' own files by path below /etc/neutron, then sections.
# @param masked Services that packages bring along and neutron starts itself, one per router or network.
class profile::neutron::agents (
  Array[Pattern[/\Aneutron-/], 1] $agents,
  Hash[String[1], Hash[String[1], Variant[Scalar, Array[Scalar]]]] $conf,
  Hash[String[1], Hash[String[1], Hash[String[1], Variant[Scalar, Array[Scalar]]]]] $agent_conf,
  Array[String[1]] $masked,
) {
  package { $agents:
    ensure => installed,
  }

  profile::ini { '/etc/neutron/neutron.conf':
    sections => $conf,
    group    => 'neutron',
    mode     => '0640',
    require  => Package[$agents],
  }

  $agent_conf.each |$path, $sections| {
    profile::ini { "/etc/neutron/${path}":
      sections => $sections,
      group    => 'neutron',
      mode     => '0640',
      require  => Package[$agents],
    }
  }

  file { '/etc/neutron/site.conf.d':
    ensure  => directory,
    owner   => 'root',
    group   => 'neutron',
    mode    => '0750',
    require => Package[$agents],
  }

  profile::openstack_daemon { $agents:
    site_directory => '/etc/neutron/site.conf.d',
    require        => Package[$agents],
  }

  # Masked, since a disabled unit is enabled again when systemd takes a boot for the first one.
  service { $masked:
    enable  => mask,
    require => Package[$agents],
  }
}
