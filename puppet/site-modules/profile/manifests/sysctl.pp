# Kernel settings. Roles add theirs under the same key: hiera merges them.
#
# @param values Setting to value; a name that begins with "-" may be unknown to the kernel.
class profile::sysctl (
  Hash[Pattern[/\A-?[a-z0-9._\/-]+\z/], Variant[Integer, String[1]]] $values,
) {
  $lines = $values.keys.sort.map |$name| { "${name} = ${values[$name]}" }

  file { '/etc/sysctl.d/60-image.conf':
    ensure  => file,
    mode    => '0644',
    content => "# Managed by puppet (profile::sysctl::values)\n${lines.join("\n")}\n",
  }
}
