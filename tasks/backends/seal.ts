// Makes two identical builds equal, and takes out what a golden image must not contain: identities, secrets, logs and
// caches. Runs in a perl of the tool tree that has changed its root to the image's.

import { insideTools } from './namespace-mounts.ts'
import { runTool, type Build } from './namespace-build.ts'

export async function runSealStep(build: Build): Promise<void> {
  const tree = insideTools(build.folders, build.folders.tree)
  const argv = ['perl', '-e', script, tree, String(build.epoch), String(build.cut)]
  await runTool(build, argv, { what: 'seal' })
  const later = ['find', tree, '-newermt', `@${build.cut}`, '-print0']
  const touch = ['xargs', '-0r', 'touch', '--no-dereference', `--date=@${build.epoch}`]
  const pipe = `${later.join(' ')} | ${touch.join(' ')}`
  await runTool(build, ['sh', '-euc', pipe], { what: 'seal: setting dates' })
}

const script = String.raw`
use strict; use warnings;
use Fcntl qw(:DEFAULT :mode); use File::Find (); use File::Glob ();
my ($root, $epoch, $cut) = @ARGV;
chroot($root) && chdir('/') or die "cannot enter the image: $!\n";
umask 022;

sub remove_tree { my $path = shift;
  if (-d $path && !-l $path) { empty($path); rmdir $path or die "$path: $!\n" }
  elsif (-e $path || -l $path) { unlink $path or die "$path: $!\n" }
}
sub empty { my $path = shift;
  return unless -d $path && !-l $path;
  opendir(my $dir, $path) or die "$path: $!\n";
  remove_tree("$path/$_") for grep { $_ ne '.' && $_ ne '..' } readdir $dir;
}
sub each_file { my ($path, $do) = @_;
  return unless -d $path && !-l $path;
  File::Find::find({ no_chdir => 1, wanted => sub { $do->($_) if -f $_ && !-l $_ } }, $path);
}
sub truncate_file { my $path = shift; truncate($path, 0) or die "$path: $!\n" }
sub rewrite { my ($path, $change) = @_;
  return unless -f $path && !-l $path;
  open(my $in, '<', $path) or die "$path: $!\n";
  my $old = do { local $/; <$in> } // ''; close $in;
  my $new = $change->($old);
  return if $new eq $old;
  open(my $out, '+<', $path) or die "$path: $!\n";
  truncate $out, 0; print $out $new; close $out or die "$path: $!\n";
}

# Identity: made anew by each machine at its first boot. Empty and not "uninitialized": that would also apply unit
# presets at first boot, and so enable what the image has disabled.
rewrite('/etc/machine-id', sub { '' });
remove_tree($_) for grep { -f && !-l } '/var/lib/dbus/machine-id';
remove_tree($_) for glob('/etc/ssh/ssh_host_*'), '/var/lib/systemd/random-seed', '/var/lib/urandom/random-seed',
  '/var/lib/systemd/credential.secret', '/boot/efi/loader/random-seed', '/etc/ssl/private/ssl-cert-snakeoil.key',
  '/etc/ssl/certs/ssl-cert-snakeoil.pem', '/etc/nvme/hostid', '/etc/nvme/hostnqn',
  glob('/etc/udev/rules.d/70-persistent-net.rules'), glob('/var/lib/dhcp/*.lease*'),
  '/var/lib/img/instance', glob('/var/lib/NetworkManager/secret_key'), glob('/var/lib/NetworkManager/*.lease');

# What a machine that ran remembers of itself: leases and identifiers, when its timers ran, what time it was.
remove_tree($_) for glob('/var/lib/dhcpcd/*'), glob('/var/lib/systemd/timers/*'), glob('/var/lib/systemd/network/*'),
  '/var/lib/systemd/timesync/clock', '/var/lib/private/systemd/timesync/clock', '/etc/.updated', '/var/.updated',
  '/var/lib/NetworkManager/timestamps', '/var/lib/NetworkManager/seen-bssids', '/var/lib/chrony/drift';

# Copies that tools keep of what they changed, and the locks they took.
remove_tree("/etc/$_-") for qw(passwd group shadow gshadow subuid subgid);
remove_tree($_) for glob('/var/lib/dpkg/*-old'), glob('/var/cache/debconf/*-old'), '/etc/.pwd.lock',
  glob('/var/lib/dpkg/lock*'), glob('/var/lib/dpkg/triggers/Lock'), glob('/var/lib/apt/extended_states.*'),
  glob('/root/.*_history'), glob('/home/*/.*_history'), '/root/.wget-hsts', '/root/.viminfo', '/root/.lesshst';
truncate_file($_) for grep { -f && !-l } '/var/cache/debconf/passwords.dat';

# Caches that are made again when they are missed.
each_file('/var/lib/apt/lists', \&remove_tree);
each_file('/var/cache/apt', \&remove_tree);
remove_tree($_) for '/var/cache/ldconfig/aux-cache', glob('/var/lib/apt/periodic/*'), '/var/lib/systemd/catalog/database';
empty($_) for '/var/cache/man', '/var/cache/fontconfig', '/tmp', '/var/tmp', '/run', '/dev', '/var/crash',
  '/var/lib/puppet/ssl', glob('/var/cache/puppet/*'), '/var/lib/cloud', '/var/lib/systemd/coredump';

# Logs: the files stay, since packages made them with the owners their daemons need.
each_file('/var/log', sub { my $path = shift;
  return if $path =~ m{/README$};
  return remove_tree($path)
    if $path =~ m{^/var/log/(?:journal/|installer/|apt/|bootstrap\.log|dpkg\.log|alternatives\.log|fontconfig\.log|unattended-upgrades/)}
    || $path =~ m{\.(?:gz|xz|old|[0-9]+)$};
  truncate_file($path) if -s $path });
empty('/var/log/journal') if -d '/var/log/journal';

# The day an account's password was set.
rewrite('/etc/shadow', sub { join '', map { my @f = split /:/, $_, -1;
  $f[2] = int($epoch / 86400) if @f > 2 && $f[2] =~ /^[0-9]+$/ && $f[2] >= int($cut / 86400); join ':', @f } split /^/, shift });
`
