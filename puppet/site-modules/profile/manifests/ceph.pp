# OSDs and the tools of monitors. The image has what all machines of all clusters may share; a cluster's fsid, monitors
# and keys arrive with the deployment, in /etc/ceph/site.conf and as keyrings.
#
# @param packages What is installed.
# @param conf Sections of ceph.conf, without fsid, mon_host and keys.
class profile::ceph (
  Array[String[1], 1] $packages,
  Hash[String[1], Hash[String[1], Scalar]] $conf,
) {
  package { $packages:
    ensure => installed,
  }

  $global = $conf['global'].lest || { {} }
  ['fsid', 'mon_host', 'mon host', 'key'].each |$setting| {
    if $setting in $global {
      fail("profile::ceph::conf has ${setting}, which belongs to one cluster: deploy it in /etc/ceph/site.conf")
    }
  }

  profile::ini { '/etc/ceph/image.conf':
    sections => $conf,
    require  => Package[$packages],
  }

  # Ceph reads one file only, so the site's part is joined to the image's at boot.
  file { '/usr/local/sbin/ceph-site-conf':
    ensure => file,
    mode   => '0755',
    source => 'puppet:///modules/profile/ceph/ceph-site-conf',
  }

  profile::unit { 'ceph-site-conf.service':
    source      => 'puppet:///modules/profile/ceph/ceph-site-conf.service',
    required_by => 'ceph.target',
    require     => Package[$packages],
  }

  exec { 'ceph.conf of the image':
    command => '/usr/local/sbin/ceph-site-conf',
    unless  => '/usr/local/sbin/ceph-site-conf --check',
    require => [File['/usr/local/sbin/ceph-site-conf'], Profile::Ini['/etc/ceph/image.conf']],
  }

  file { '/etc/udev/rules.d/60-ceph-block.rules':
    ensure => file,
    mode   => '0644',
    source => 'puppet:///modules/profile/ceph/60-ceph-block.rules',
  }

  # Collects crashes with a key of the cluster's.
  profile::waits { 'ceph-crash':
    glob => '/etc/ceph/*.keyring',
  }

  if 'nvme-cli' in $packages {
    contain profile::identity::nvme
    Package[$packages] -> Class['profile::identity::nvme']
  }

  if 'smartmontools' in $packages {
    # A machine whose disks are all behind a controller is no failure.
    file { '/etc/default/smartmontools':
      ensure  => file,
      mode    => '0644',
      content => "smartd_opts=\"--quit=never\"\n",
      require => Package[$packages],
    }
  }
}
