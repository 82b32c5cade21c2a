// A network of a build's own, for machines and servers: nothing is in it but the endpoints it is given. A machine in it
// sees them at 10.0.2.2, programs at 127.0.0.1, each at the port it has outside.

import { open as openFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ImgError } from '../errors.ts'
import { startProgram } from '../run/process.ts'

export interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface BuildNetwork {
  /** The command line that starts a program in the network. */
  readonly enter: (argv: readonly string[]) => readonly string[]
  readonly close: () => Promise<void>
}

/** What a machine's user-mode network calls the loopback interface of whoever runs it. */
export const networkHost = '10.0.2.2'

export async function openBuildNetwork(options: {
  /** Private; sockets are made in it. */
  readonly directory: string
  readonly endpoints: readonly Endpoint[]
  /** Without root the network belongs to a user namespace. */
  readonly userNamespace: boolean
}): Promise<BuildNetwork> {
  const { directory, endpoints } = options
  const folder = await openFile(directory, 'r')
  // A socket's path has at most 107 bytes, however long the folder's is.
  const socketOf = ({ port }: Endpoint): string => `/proc/self/fd/${folder.fd}/${port}.socket`
  const open = new Set<Socket>()
  const servers: Server[] = []
  const closeServers = async (): Promise<void> => {
    for (const server of servers) server.close()
    // Whoever is at the other end may keep its half of a connection, and with it us, for ever.
    for (const socket of open) socket.destroy()
    await folder.close()
  }
  try {
    for (const endpoint of endpoints) servers.push(await forward(socketOf(endpoint), { endpoint, open }))
  } catch (error) {
    await closeServers()
    throw error
  }
  const user = options.userNamespace ? ['--user', '--map-root-user'] : []
  const relay = startProgram(
    [
      'unshare',
      ...user,
      '--net',
      '--',
      'perl',
      '-e',
      relayProgram,
      ...endpoints.map(({ port }) => String(port)),
    ],
    { cwd: directory, sockets: 1 },
  )
  const close = async (): Promise<void> => {
    relay.kill('SIGKILL')
    await relay.exited
    await closeServers()
  }
  const ready = new Promise<boolean>((resolve) => {
    ;(relay.sockets[0] as Duplex).once('data', () => resolve(true)).on('error', () => undefined)
    void relay.exited.then(() => resolve(false))
  })
  if (!(await ready)) {
    const { stderr } = await relay.exited
    await close()
    throw new ImgError('BACKEND_UNAVAILABLE', "cannot make a build's own network", {
      hint: 'run `img doctor`; inside a container the capability SYS_ADMIN is needed',
      output: stderr.trim(),
    })
  }
  const join = options.userNamespace ? ['--user', '--setuid', '0', '--setgid', '0'] : []
  return {
    // Entering a user namespace clears the signal that ends a program with us.
    enter: (argv) =>
      [
        ['nsenter', '--target', String(relay.pid), '--net', ...join, '--'],
        ['setpriv', '--pdeathsig', 'KILL', '--', ...argv],
      ].flat(),
    close,
  }
}

/** From a socket in our folder to where the endpoint really is. */
async function forward(
  path: string,
  { endpoint, open }: { readonly endpoint: Endpoint; readonly open: Set<Socket> },
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (near: Socket) => {
    const far = connect({ host: endpoint.host, port: endpoint.port, allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy()).on('close', () => open.delete(from))
      from.pipe(to)
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return server
}

/** Listens on the loopback interface of its network, which it brings up, and passes connections to the sockets. */
const relayProgram = String.raw`
use strict; use warnings;
use Socket; use IO::Socket::INET; use IO::Socket::UNIX; use IO::Select;
socket(my $any, AF_INET, SOCK_DGRAM, 0) or die "socket: $!\n";
# SIOCSIFFLAGS with IFF_UP and IFF_RUNNING.
my $up = pack('a16sx22', 'lo', 0x41);
ioctl($any, 0x8914, $up) or die "cannot bring the network up: $!\n";
my (%port, @listeners);
for my $port (@ARGV) {
  my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => $port, ReuseAddr => 1)
    or die "port $port: $!\n";
  $port{$listener} = $port;
  $listener->blocking(0);
  push @listeners, $listener;
}
open(my $ready, '>&=', 3) or die "descriptor 3: $!\n";
syswrite($ready, "ready\n");
$SIG{CHLD} = 'IGNORE'; $SIG{PIPE} = 'IGNORE';
my $select = IO::Select->new(@listeners);
# The other end of descriptor 3 goes with img.
$select->add($ready);
while (1) {
  for my $handle ($select->can_read) {
    exit 0 if $handle == $ready;
    my $near = $handle->accept or next;
    my $pid = fork;
    next unless defined $pid && $pid == 0;
    my $far = IO::Socket::UNIX->new(Peer => "$port{$handle}.socket") or exit 1;
    pass($near, $far);
    exit 0;
  }
}
sub pass { my ($near, $far) = @_;
  my $open = IO::Select->new($near, $far);
  while ($open->count) {
    for my $from ($open->can_read) {
      my $to = $from == $near ? $far : $near;
      my $count = sysread($from, my $data, 65536);
      if (!$count) { $open->remove($from); shutdown($to, 1); next }
      while (length $data) { my $done = syswrite($to, $data) // exit 1; substr($data, 0, $done) = '' }
    }
  }
}
`
