// What runs in the appliance and starts programs for us, and the frames it speaks over a serial port: one byte of
// kind, the number of the program, the length, the data. Pure.

/** Frames of ours. */
export const orders = { start: 'S', kill: 'K', quit: 'Q' } as const

/** Frames of the agent: it is ready, a program wrote, a program ended. */
export const replies = { ready: 'H', stdout: 'O', stderr: 'E', exit: 'X' } as const

export interface Frame {
  readonly kind: string
  readonly id: number
  readonly data: Buffer
}

export function encodeFrame(kind: string, id: number, data: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9)
  head.write(kind, 0, 'latin1')
  head.writeUInt32BE(id, 1)
  head.writeUInt32BE(data.length, 5)
  return Buffer.concat([head, data])
}

/** Whole frames at the start of the bytes, and what is left of them. Throws for a length no frame of the agent has. */
export function decodeFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = []
  let at = 0
  while (bytes.length - at >= 9) {
    const length = bytes.readUInt32BE(at + 5)
    if (length > longestFrame) throw new Error(`a frame of ${length} bytes`)
    if (bytes.length - at - 9 < length) break
    frames.push({
      kind: bytes.toString('latin1', at, at + 1),
      id: bytes.readUInt32BE(at + 1),
      data: bytes.subarray(at + 9, at + 9 + length),
    })
    at += 9 + length
  }
  return { frames, rest: bytes.subarray(at) }
}

const longestFrame = 1024 * 1024

/** Name of the serial port in the appliance. */
export const portName = 'img.agent'

/**
 * A program's input lies in a file from the start: it may read it or not, and never waits for us while we wait for
 * it. Everything is written before the end is told, so that a disk the appliance gives back is whole.
 */
export const agentProgram = String.raw`
use strict; use warnings;
use Fcntl; use JSON::PP; use MIME::Base64; use POSIX qw(:sys_wait_h _exit);
$SIG{PIPE} = 'IGNORE';
sysopen(my $port, '/dev/virtio-ports/${portName}', O_RDWR | O_NONBLOCK) or die "the port: $!\n";
my (%running, %pipes);

sub put { my ($kind, $id, $data) = @_;
  my $frame = pack('a N N', $kind, $id, length $data) . $data;
  # A blocking write would wait, spinning, until we have read each 32 KiB of it.
  for (my $at = 0; $at < length $frame;) {
    my $done = syswrite $port, $frame, length($frame) - $at, $at;
    if (defined $done) { $at += $done }
    elsif ($!{EAGAIN}) { vec(my $full = '', fileno $port, 1) = 1; select undef, $full, undef, undef }
    elsif (!$!{EINTR}) { die "the port: $!\n" }
  }
}

sub start { my ($id, $order) = @_;
  my @pipes;
  for my $kind ('O', 'E') { pipe(my $read, my $write) or die "a pipe: $!\n"; push @pipes, [$kind, $read, $write] }
  # In memory: it may be a secret.
  open(my $input, '+>', "/dev/shm/img-input.$$") or die "a file for input: $!\n";
  unlink "/dev/shm/img-input.$$";
  binmode $input;
  if (defined $order->{input}) {
    my $bytes = decode_base64($order->{input});
    (syswrite($input, $bytes) // -1) == length $bytes or die "room for input: $!\n";
    sysseek $input, 0, 0;
  }
  my $pid = fork;
  die "cannot fork: $!\n" unless defined $pid;
  if ($pid == 0) {
    POSIX::setsid();
    POSIX::dup2(fileno $input, 0); POSIX::dup2(fileno $pipes[0][2], 1); POSIX::dup2(fileno $pipes[1][2], 2);
    $SIG{PIPE} = 'DEFAULT';
    my ($env, @argv) = ($order->{env}, @{ $order->{argv} });
    utf8::encode($_) for @argv, values %$env;
    %ENV = %$env;
    { no warnings; exec { $argv[0] } @argv; }
    print STDERR "cannot start $argv[0]: $!\n";
    _exit(127);
  }
  $running{$id} = { pid => $pid, open => 2 };
  for my $pipe (@pipes) { my ($kind, $read, $write) = @$pipe; close $write; $pipes{fileno $read} = [$kind, $id, $read] }
}

# A program that has just been started leads no group yet.
sub end { my $pid = shift; kill('KILL', -$pid) || kill('KILL', $pid) }

sub pass_on { my ($fd) = @_;
  my ($kind, $id, $read) = @{ $pipes{$fd} };
  my $done = sysread $read, my $data, 1 << 18;
  return put($kind, $id, $data) if $done;
  delete $pipes{$fd};
  close $read;
  return if --$running{$id}{open};
  waitpid $running{$id}{pid}, 0;
  put('X', $id, $? & 127 ? 128 + ($? & 127) : $? >> 8);
  delete $running{$id};
}

my $bytes = '';
sub obey {
  my $done = sysread $port, $bytes, 1 << 16, length $bytes;
  return if !defined $done && ($!{EAGAIN} || $!{EINTR});
  exit 1 unless $done;
  while (length $bytes >= 9) {
    my ($kind, $id, $length) = unpack 'a N N', $bytes;
    last if length($bytes) < 9 + $length;
    my $data = substr $bytes, 9, $length;
    substr($bytes, 0, 9 + $length) = '';
    if ($kind eq 'S') { start($id, JSON::PP->new->utf8->decode($data)) }
    elsif ($kind eq 'K') { end($running{$id}{pid}) if $running{$id} }
    else { end($_->{pid}) for values %running; system('sync'); exit 0 }
  }
}

put('H', 0, '');
for (;;) {
  my $wanted = '';
  vec($wanted, $_, 1) = 1 for fileno $port, keys %pipes;
  my $ready = select(my $found = $wanted, undef, undef, undef);
  next if $ready < 1;
  for my $fd (keys %pipes) { pass_on($fd) if vec($found, $fd, 1) }
  obey() if vec($found, fileno $port, 1);
}
`
