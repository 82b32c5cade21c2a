import { expect } from 'vitest'
import { agentProgram } from '../../tasks/backends/libguestfs-agent.ts'

/** The appliance's agent with a socket for its serial port, and without writing out this machine's disks at its end. */
export function agentOnSocket(socket: string): string {
  const open = `use IO::Socket::UNIX; my $port = IO::Socket::UNIX->new(Peer => '${socket}') or die "no port: $!"; $port->blocking(0);`
  const program = agentProgram.replace(/^sysopen.*$/m, open).replace("system('sync'); ", '')
  expect(program.length).toBe(agentProgram.length + open.length - sysopen.length - "system('sync'); ".length)
  return program
}

const sysopen = /^sysopen.*$/m.exec(agentProgram)?.[0] ?? ''
