# What every machine has, before its role.
class profile::base {
  contain profile::ssh
  contain profile::time
  contain profile::lldp
  contain profile::updates
  contain profile::sysctl
  contain profile::login
}
