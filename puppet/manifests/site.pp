# The imgfile names a role; the role says what the machine is. `role` is a fact, so it is in the layer's key.
Exec {
  path => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
}

# Recommended packages bring daemons nobody asked for into an image.
Package {
  install_options => ['--no-install-recommends'],
}

node default {
  $role = regsubst($facts['role'], '-', '_', 'G')
  include "role::${role}"
}
