// How apt and mmdebstrap reach the recording proxy. Build-time configuration: it never stays in an image.

import type { AptAccess } from '../../tasks/backends/backend.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { AptInput } from '../../tasks/plan/recipe.ts'
import { findKeyring } from '../../tasks/run/apt-keyring.ts'
import type { Lock } from '../../tasks/run/lockfile.ts'

export function aptAccess(
  input: AptInput,
  { lock, base, context }: { readonly lock: Lock; readonly base: string; readonly context: RunContext },
): AptAccess {
  const pins = lock.pinsOf(input)
  const components = [...new Set(input.components)].join(' ')
  return {
    sources: pins.map(
      ({ archive, suite }) =>
        `deb [signed-by=/run/img/apt/keyring.gpg] ${base}/${archive} ${suite} ${components}`,
    ),
    config,
    keyring: findKeyring(pins[0]?.archive ?? 'debian', context),
    date: Math.max(...pins.map(({ date }) => Date.parse(date) / 1000)),
  }
}

const config: readonly string[] = [
  // The state is as old as the lock; that is the point.
  'Acquire::Check-Valid-Until "false";',
  'Acquire::http::Proxy "DIRECT";',
  'Acquire::http::Proxy::127.0.0.1 "DIRECT";',
  'Acquire::Languages "none";',
  'Acquire::PDiffs "false";',
  'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";',
  // As packageListsOf chooses, so that apt asks for what the cache has.
  'Acquire::CompressionTypes::Order:: "gz";',
  'Acquire::CompressionTypes::Order:: "xz";',
  // The proxy has a file whole and verified before it sends the first byte, and retries itself.
  'Acquire::http::Timeout "1800";',
  'Acquire::Retries "1";',
  // Half a state is an error, not a warning.
  'APT::Update::Error-Mode "any";',
]
