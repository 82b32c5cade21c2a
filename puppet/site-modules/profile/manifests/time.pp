# One clock for all: chrony.
#
# @param pools Names that stand for several servers each.
# @param servers Single servers; a site with its own usually has these and no pools.
# @param makestep_threshold A clock that is off by more seconds than this is stepped, in the first three updates only.
class profile::time (
  Array[String[1]] $pools,
  Array[String[1]] $servers,
  Integer[1] $makestep_threshold,
) {
  package { 'chrony':
    ensure => installed,
  }

  file { '/etc/chrony/chrony.conf':
    ensure  => file,
    mode    => '0644',
    content => epp('profile/chrony.conf.epp', {
      pools              => $pools,
      servers            => $servers,
      makestep_threshold => $makestep_threshold,
    }),
    require => Package['chrony'],
  }

  service { 'chrony':
    enable    => true,
    subscribe => File['/etc/chrony/chrony.conf'],
  }
}
