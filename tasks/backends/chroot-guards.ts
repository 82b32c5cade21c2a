// What keeps an image's programs from acting on the machine that builds, laid before the steps and taken away before
// the seal: services are not started, and GRUB does not look for the disks below a root that has none.

import { configMark, renderGrubConfig, type BootFacts, type BootPlace } from './disk-grub-config.ts'
import { runInImage, type Build } from './namespace-build.ts'

export async function layGuards(build: Build): Promise<void> {
  await runInImage(build, ['sh', '-euc', layScript], { what: 'laying guards' })
}

/** `place` of a disk that boots already: its menu is made again when a step asked for that or changed the kernels. */
export async function takeGuards(build: Build, place: BootPlace | undefined): Promise<void> {
  const asked = await build.session.run(['test', '-e', grubFlag], { root: build.folders.image, quiet: true })
  await runInImage(build, ['sh', '-euc', takeScript], { what: 'taking guards away' })
  if (place !== undefined) await renewMenu(build, place, asked.exitCode === 0)
}

const grubFlag = '/run/img/grub-asked'

// dpkg-divert, so that an upgrade of the package in between goes to the diverted name.
const layScript = `
if [ -e /usr/sbin/policy-rc.d ]; then mv /usr/sbin/policy-rc.d /usr/sbin/policy-rc.d.img; fi
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
if [ -e /usr/sbin/grub-mkconfig ]; then
  dpkg-divert --quiet --local --rename --divert /usr/sbin/grub-mkconfig.img --add /usr/sbin/grub-mkconfig
  printf '#!/bin/sh\\n: >${grubFlag}\\necho "grub.cfg is made at the end of the layer"\\n' >/usr/sbin/grub-mkconfig
  chmod 0755 /usr/sbin/grub-mkconfig
fi
`

const takeScript = `
rm -f /usr/sbin/policy-rc.d
if [ -e /usr/sbin/policy-rc.d.img ]; then mv /usr/sbin/policy-rc.d.img /usr/sbin/policy-rc.d; fi
if [ "$(dpkg-divert --truename /usr/sbin/grub-mkconfig)" = /usr/sbin/grub-mkconfig.img ]; then
  rm -f /usr/sbin/grub-mkconfig
  dpkg-divert --quiet --local --rename --remove /usr/sbin/grub-mkconfig
fi
`

async function renewMenu(build: Build, place: BootPlace, asked: boolean): Promise<void> {
  const { stdout: old } = await build.session.run(['cat', '/boot/grub/grub.cfg'], {
    root: build.folders.image,
    quiet: true,
  })
  const { stdout } = await runInImage(build, ['sh', '-c', factsScript], {
    what: 'reading the boot settings',
    quiet: true,
  })
  const facts = readFacts(stdout)
  const isOurs = old.startsWith(configMark)
  const hasOthers =
    isOurs && facts.files.some((name) => name.startsWith('vmlinuz-') && !old.includes(`/${name} `))
  const hasGone = [...old.matchAll(/ (\/\S*vmlinuz-\S+) /g)].some(
    ([, file]) => !facts.files.includes((file ?? '').slice((file ?? '').lastIndexOf('/') + 1)),
  )
  if (!asked && !hasOthers && !(isOurs && hasGone)) return
  await runInImage(build, ['sh', '-c', 'cat >/boot/grub/grub.cfg'], {
    input: renderGrubConfig(place, facts),
    what: 'writing grub.cfg',
  })
}

/** What update-grub would read. */
const factsScript = `
PRETTY_NAME=Linux
. /etc/os-release
set -a
for file in /etc/default/grub /etc/default/grub.d/*.cfg; do if [ -e "$file" ]; then . "$file"; fi; done
echo "$PRETTY_NAME"
echo "\${GRUB_CMDLINE_LINUX:-} \${GRUB_CMDLINE_LINUX_DEFAULT:-}"
echo "\${GRUB_TIMEOUT:-5}"
ls /boot
`

function readFacts(text: string): BootFacts {
  const [title = 'Linux', cmdline = '', timeout = '5', ...files] = text.trimEnd().split('\n')
  return { title, cmdline: cmdline.trim(), timeout: Number(timeout) || 0, files }
}
