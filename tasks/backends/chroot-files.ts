// Steps that only lay files. A perl of the tool tree does them after it has changed its root to the image's, so that
// no symlink of the image leads out of it and nothing of the image needs to run.

import type { StepOf } from '../plan/step.ts'
import { runTool, type Build } from './namespace-build.ts'
import { imageInTools, inputInImage } from './namespace-mounts.ts'

export type FileStep = StepOf<'write' | 'copy' | 'mkdir' | 'link' | 'remove'>

export async function runFileStep(build: Build, step: FileStep, what: string): Promise<void> {
  const order = step.do === 'copy' ? { ...step, from: inputInImage(step.input) } : step
  const argv = ['perl', '-e', script, imageInTools]
  await runTool(build, argv, { input: JSON.stringify(order), what })
}

const script = String.raw`
use strict; use warnings;
use JSON::PP; use POSIX (); use Fcntl qw(:DEFAULT :mode); use File::Basename ();
my $step = JSON::PP->new->utf8->decode(do { local $/; <STDIN> });
chroot($ARGV[0]) && chdir('/') or die "cannot enter the image: $!\n";
umask 022;

sub bytes { my $text = shift; utf8::encode($text) if utf8::is_utf8($text); return $text }
sub number_of { my ($file, $name, $field) = @_;
  return 0 unless defined $name;
  return $name if $name =~ /^[0-9]+$/;
  open(my $in, '<', $file) or die "$file: $!\n";
  while (<$in>) { my @entry = split /:/; return $entry[2] if $entry[0] eq $name }
  die "the image has no $field $name\n";
}
my $uid = number_of('/etc/passwd', $step->{owner}, 'user');
my $gid = number_of('/etc/group', $step->{group}, 'group');
sub make_parents { my $parent = File::Basename::dirname(shift);
  return if -d $parent;
  make_parents($parent);
  mkdir $parent, 0755 or die "$parent: $!\n";
}
sub settle { my ($path, $mode) = @_;
  chown $uid, $gid, $path or die "$path: $!\n";
  chmod $mode, $path or die "$path: $!\n";
}
sub remove_tree { my $path = shift;
  if (-d $path && !-l $path) {
    opendir(my $dir, $path) or die "$path: $!\n";
    my @names = grep { $_ ne '.' && $_ ne '..' } readdir $dir;
    remove_tree("$path/$_") for @names;
    rmdir $path or die "$path: $!\n";
  } elsif (-e $path || -l $path) { unlink $path or die "$path: $!\n" }
}
sub put { my ($path, $mode, $content) = @_;
  my $new = "$path.img-new";
  make_parents($path);
  die "$path: is a folder\n" if -d $path && !-l $path;
  sysopen(my $out, $new, O_WRONLY | O_CREAT | O_EXCL, 0600) or die "$path: $!\n";
  binmode $out;
  if (ref $content) { while (sysread $content, my $part, 1 << 20) { print $out $part or die "$path: $!\n" } }
  else { print $out $content or die "$path: $!\n" }
  close $out or die "$path: $!\n";
  settle($new, $mode);
  rename $new, $path or die "$path: $!\n";
}
sub put_link { my ($path, $target) = @_;
  make_parents($path);
  die "$path: is a folder\n" if -d $path && !-l $path;
  unlink $path if -l $path || -e $path;
  symlink $target, $path or die "$path: $!\n";
}
sub copy_tree { my ($from, $to) = @_;
  my @stat = lstat $from or die "$from: $!\n";
  my $mode = S_IMODE($stat[2]);
  if (S_ISLNK($stat[2])) { put_link($to, readlink $from) }
  elsif (S_ISDIR($stat[2])) {
    if (!-d $to) { make_parents($to); mkdir $to, 0700 or die "$to: $!\n"; settle($to, $mode) }
    opendir(my $dir, $from) or die "$from: $!\n";
    copy_tree("$from/$_", $to eq '/' ? "/$_" : "$to/$_") for sort grep { $_ ne '.' && $_ ne '..' } readdir $dir;
  } elsif (S_ISREG($stat[2])) {
    open(my $in, '<', $from) or die "$from: $!\n"; binmode $in;
    put($to, $mode, $in);
  } else { die "$from: neither file, folder nor symlink\n" }
}
my %run = (
  write => sub { put(bytes($step->{path}), oct $step->{mode}, bytes($step->{content})) },
  copy => sub { copy_tree(bytes($step->{from}), bytes($step->{to})) },
  mkdir => sub { my $path = bytes($step->{path});
    make_parents($path);
    if (!-d $path) { mkdir $path, 0700 or die "$path: $!\n" }
    settle($path, oct $step->{mode}) },
  link => sub { put_link(bytes($step->{path}), bytes($step->{target})) },
  remove => sub { for my $pattern (@{ $step->{paths} }) {
    my $escaped = bytes($pattern); $escaped =~ s/([\\{}~\s])/\\$1/g;
    remove_tree($_) for grep { -e || -l } glob $escaped } },
);
eval { $run{$step->{do}}->(); 1 } or do { print STDERR $@; exit 1 };
`
