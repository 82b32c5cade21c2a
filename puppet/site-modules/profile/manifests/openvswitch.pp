# The virtual switch. It runs unconfigured; bridges to the world are the site's.
class profile::openvswitch {
  package { 'openvswitch-switch':
    ensure => installed,
  }

  # Made when the switch first starts; in an image all machines would share them.
  file { ['/etc/openvswitch/conf.db', '/etc/openvswitch/.conf.db.~lock~', '/etc/openvswitch/system-id.conf']:
    ensure  => absent,
    require => Package['openvswitch-switch'],
  }

  service { 'openvswitch-switch':
    enable  => true,
    require => Package['openvswitch-switch'],
  }
}
