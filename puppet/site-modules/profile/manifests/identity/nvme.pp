# The package names the machine it is installed on; a machine made of the image names itself when it first boots.
class profile::identity::nvme {
  file { ['/etc/nvme/hostnqn', '/etc/nvme/hostid']:
    ensure => absent,
  }

  # The package's example makes nvmf-autoconnect.service run, which fails where there is nothing to connect to.
  file { '/etc/nvme/discovery.conf':
    ensure => absent,
  }

  profile::unit { 'nvme-identity.service':
    source      => 'puppet:///modules/profile/identity/nvme-identity.service',
    required_by => 'multi-user.target',
  }
}
