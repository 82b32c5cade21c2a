# A systemd unit of our own, enabled.
#
# @param source Where the unit file is kept.
# @param required_by The unit that wants this one.
define profile::unit (
  String[1] $source,
  String[1] $required_by,
) {
  file { "/etc/systemd/system/${title}":
    ensure => file,
    mode   => '0644',
    source => $source,
  }

  file { "/etc/systemd/system/${required_by}.wants":
    ensure => directory,
    mode   => '0755',
  }

  file { "/etc/systemd/system/${required_by}.wants/${title}":
    ensure => link,
    target => "/etc/systemd/system/${title}",
  }
}
