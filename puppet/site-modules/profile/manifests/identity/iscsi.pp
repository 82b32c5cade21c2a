# The same for iSCSI: Debian's own start-up check replaces this line by a name. It is there before the package, which would
# make a name of its own up, and leave it in the initramfs of every machine.
class profile::identity::iscsi {
  file { '/etc/iscsi':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }

  file { '/etc/iscsi/initiatorname.iscsi':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0600',
    content => "GenerateName=yes\n",
  }
}
