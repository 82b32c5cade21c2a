# Routes, gives addresses and metadata to virtual machines.
class role::openstack_network {
  contain profile::base
  contain profile::openvswitch
  contain profile::neutron::agents

  Class['profile::base']
  -> Class['profile::openvswitch']
  -> Class['profile::neutron::agents']
}
