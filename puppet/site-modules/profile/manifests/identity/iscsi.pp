# The same for iSCSI: Debian's own start-up check replaces this line by a name.
class profile::identity::iscsi {
  file { '/etc/iscsi/initiatorname.iscsi':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0600',
    content => "GenerateName=yes\n",
  }
}
