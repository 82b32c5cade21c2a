# A daemon of OpenStack that waits for the site's part of its configuration and reads it last.
#
# @param site_directory Where the site puts *.conf.
define profile::openstack_daemon (
  Pattern[/\A\//] $site_directory,
) {
  file { "/etc/default/${title}":
    ensure  => file,
    mode    => '0644',
    content => "DAEMON_ARGS=\"\${DAEMON_ARGS} --config-dir=${site_directory}\"\n",
  }

  profile::waits { $title:
    glob => "${site_directory}/*.conf",
  }

  service { $title:
    enable => true,
  }
}
