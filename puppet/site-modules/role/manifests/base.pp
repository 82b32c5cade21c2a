# What every machine has.
class role::base {
  contain profile::base
}
