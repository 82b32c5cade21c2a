# Keeps data (OSDs) and may be a monitor.
class role::ceph_node {
  contain profile::base
  contain profile::ceph

  Class['profile::base'] -> Class['profile::ceph']
}
