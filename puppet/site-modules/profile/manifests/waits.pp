# A daemon that cannot run before the site has put its configuration there: until then systemd passes it over, so that
# an unconfigured machine boots without a failed unit.
#
# @param glob Any file this matches is the site's configuration.
# @param unit The unit that waits.
define profile::waits (
  Pattern[/\A\//] $glob,
  String[1] $unit = "${title}.service",
) {
  file { "/etc/systemd/system/${unit}.d":
    ensure => directory,
    mode   => '0755',
  }

  file { "/etc/systemd/system/${unit}.d/10-wait-for-site.conf":
    ensure  => file,
    mode    => '0644',
    content => "[Unit]\nConditionPathExistsGlob=${glob}\n",
  }
}
