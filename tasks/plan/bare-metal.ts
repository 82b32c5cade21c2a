// The same installation on a local disk, as files for whoever boots the installer there. Pure.

import type { InstallStep } from './step.ts'

/** By name. What only a build needs (its mirror, its report, its way of ending) is not in them. */
export function bareMetalFiles(
  step: InstallStep,
  about: {
    readonly layer: string
    readonly medium: readonly { readonly path: string; readonly digest: string }[]
  },
): Readonly<Record<string, string>> {
  const { answers, argument } = kinds[step.answers.kind](step)
  const line = [...argument('http://SERVER/'), ...onMetal(step.arguments)].join(' ')
  const booted = [...argument('${cwuri}'), ...onMetal(step.arguments)].join(' ')
  return {
    ...answers,
    'kernel-command-line': `${line}\n`,
    'boot.ipxe': `#!ipxe
# Beside this file: the installer's kernel and initrd, and the answers.
${about.medium.map(({ path, digest }) => `# ${path}: sha256 ${digest}`).join('\n')}
kernel kernel initrd=initrd ${booted}
initrd initrd
boot
`,
    'puppet-run.sh': puppetRun(about.layer),
  }
}

interface Kind {
  readonly answers: Readonly<Record<string, string>>
  /** Where the installer finds them below a folder of a web server. */
  readonly argument: (folder: string) => readonly string[]
}

const kinds: Readonly<Record<InstallStep['answers']['kind'], (step: InstallStep) => Kind>> = {
  preseed: ({ answers: { text } }) => ({
    // The machine stays: it starts what was installed.
    answers: { 'preseed.cfg': withoutAnswer(text, 'debian-installer/exit/poweroff') },
    argument: (folder) => [`url=${folder}preseed.cfg`],
  }),
  kickstart: ({ answers: { text } }) => ({
    answers: { 'ks.cfg': text.replace(/^poweroff$/m, 'reboot') },
    argument: (folder) => [`inst.ks=${folder}ks.cfg`],
  }),
  autoinstall: ({ answers: { text } }) => {
    const autoinstall = { ...(JSON.parse(text) as object), shutdown: 'reboot' }
    return {
      answers: {
        'user-data': `#cloud-config\n${JSON.stringify({ autoinstall }, undefined, 2)}\n`,
        'meta-data': '',
      },
      argument: (folder) => [`ds=nocloud;s=${folder}`],
    }
  },
}

const withoutAnswer = (text: string, question: string): string =>
  text
    .split('\n')
    .filter((line) => !line.startsWith(`d-i ${question} `))
    .join('\n')

/** A person may watch: the installer has its own screen, and not only plain lines. */
const onMetal = (words: readonly string[]): readonly string[] =>
  words.filter((word) => word !== 'TERM=dumb' && word !== 'DEBIAN_FRONTEND=text')

/** The agent as the build runs it, but with the machine's own certificate, which stays. */
const puppetRun = (layer: string): string => `#!/bin/sh
# After the first start of a machine installed like ${layer}: what the image's next layers get from puppet.
# The node's role comes from the server, as for every other machine.
set -eu
: "\${PUPPET_SERVER:?the puppet server}" "\${PUPPET_ENVIRONMENT:=production}" "\${PUPPET_NODE:=$(hostname -f)}"
command -v puppet >/dev/null || apt-get install -y puppet-agent
status=0
puppet agent --onetime --no-daemonize --no-splay --verbose --color false --detailed-exitcodes \\
  --http_connect_timeout 120 --http_read_timeout 1200 --no-usecacheonfailure --waitforcert 60 \\
  --certname "$PUPPET_NODE" --server "$PUPPET_SERVER" --environment "$PUPPET_ENVIRONMENT" || status=$?
case $status in
  0 | 2) exit 0 ;;
  *) exit "$status" ;;
esac
`
