// What a backend runs in the image's root for a puppet step. Pure. The agent is lent from the tool tree: its ruby,
// libraries and gems come from /run/img/tools, while every program it starts (apt, systemctl, useradd) is the image's.

import type { FileMode, PuppetStep } from '../plan/step.ts'
import { applyProgram } from './puppet-apply-program.ts'

export interface PuppetApply {
  /** Written by the backend before the run, absolute in the image's root, all under `/run/img/puppet`. */
  readonly files: readonly { readonly path: string; readonly content: string; readonly mode: FileMode }[]
  readonly argv: readonly string[]
  /** The whole environment, to which the backend adds what every chroot step gets (PATH, SOURCE_DATE_EPOCH…). */
  readonly env: Readonly<Record<string, string>>
  /** Where `readReport` finds its text; no such file after the run means that the run failed. */
  readonly report: string
}

/**
 * Expects in the chroot: the tool tree at /run/img/tools (not with `keepAgent`), the staged input's `sources` and
 * `plugins` at /run/img/sources and /run/img/plugins, /run/img/puppet on a file system that is thrown away, "systemd"
 * in /proc/1/comm. The exit status means nothing.
 */
export function puppetApply(step: PuppetStep): PuppetApply {
  return {
    files: [
      { path: `${home}/catalog.json`, content: JSON.stringify(step.catalog), mode: '0600' },
      { path: `${home}/apply.rb`, content: applyProgram, mode: '0644' },
      { path: `${home}/lend`, content: lendProgram, mode: '0755' },
    ],
    argv: step.keepAgent ? ['/usr/bin/ruby', `${home}/apply.rb`] : ['/bin/sh', `${home}/lend`],
    env: { LC_ALL: 'C.UTF-8', HOME: '/root', SYSTEMD_OFFLINE: '1', DEBIAN_FRONTEND: 'noninteractive' },
    report: `${home}/report.json`,
  }
}

const home = '/run/img/puppet'

/**
 * Ruby through the tool tree's own loader. No LD_LIBRARY_PATH, RUBYLIB or GEM_PATH: children would inherit them and
 * load the tool tree's libraries into the image's programs.
 */
const lendProgram = `#!/bin/sh
set -eu
set -- /run/img/tools/usr/lib/*/ld-linux-*.so.*
libraries=\${1%/*}
set -- "$1" /run/img/tools/usr/lib/*/ruby/[0-9]*
exec "$1" --library-path "$libraries" --argv0 ruby /run/img/tools/usr/bin/ruby \\
  --disable=gems,did_you_mean -I "$2" ${home}/apply.rb /run/img/tools
`
