# Runs virtual machines.
class role::openstack_compute {
  contain profile::base
  contain profile::openvswitch
  contain profile::libvirt
  contain profile::nova::compute
  contain profile::neutron::agents

  Class['profile::base']
  -> Class['profile::openvswitch']
  -> Class['profile::libvirt']
  -> Class['profile::nova::compute']
  -> Class['profile::neutron::agents']
}
