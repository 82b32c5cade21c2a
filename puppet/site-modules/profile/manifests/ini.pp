# A file in the manner of ceph.conf and oslo.config: sections of settings, in the order they are given.
#
# @param sections Section to its settings; a list gives the setting once per value.
# @param owner Owner.
# @param group Group.
# @param mode Mode.
define profile::ini (
  Hash[String[1], Hash[String[1], Variant[Scalar, Array[Scalar]]]] $sections,
  String[1] $owner = 'root',
  String[1] $group = 'root',
  Pattern[/\A0[0-7]{3}\z/] $mode = '0644',
) {
  file { $title:
    ensure  => file,
    owner   => $owner,
    group   => $group,
    mode    => $mode,
    content => epp('profile/ini.epp', { sections => $sections }),
  }
}
