# Tells the switch who is on which port.
#
# @param interfaces lldpd's pattern of interfaces that speak.
# @param portid What names a port.
class profile::lldp (
  String[1] $interfaces,
  Enum['ifname', 'macaddress'] $portid,
) {
  package { 'lldpd':
    ensure => installed,
  }

  file { '/etc/lldpd.d/image.conf':
    ensure  => file,
    mode    => '0644',
    content => "configure system interface pattern ${interfaces}\nconfigure lldp portidsubtype ${portid}\n",
    require => Package['lldpd'],
  }

  service { 'lldpd':
    enable    => true,
    subscribe => File['/etc/lldpd.d/image.conf'],
  }
}
