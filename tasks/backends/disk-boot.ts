// Boot code for BIOS and UEFI without partition nodes: the images come from grub-mkimage, the two numbers that
// grub-bios-setup would patch are the sector of core.img and the list of the sectors behind it.

import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { deriveDiskIds, type PlacedPartition } from '../plan/disk-layout.ts'
import { ImgError } from '../errors.ts'
import { renderGrubConfig, type BootFacts, type BootPlace } from './disk-grub-config.ts'
import type { Disk } from './disk-partitions.ts'
import { runInImage, runOnHost, runTool, type Build } from './namespace-build.ts'
import { insideTools, outFolder, outInImage } from './namespace-mounts.ts'

/** Writes what lies in the image's files: GRUB's modules and its configuration, with fixed dates. */
export async function installBootFiles(build: Build, disk: Disk): Promise<void> {
  const { tree } = build.folders
  const platforms = platformsOf(build, disk)
  const place = bootPlace(disk)
  const script = `
tree=$1 epoch=$2; shift 2
mkdir -p "$tree/boot/grub"
for platform; do
  from=$tree/usr/lib/grub/$platform
  test -d "$from" || from=/usr/lib/grub/$platform
  mkdir -p "$tree/boot/grub/$platform"
  cp -- "$from"/*.mod "$from"/*.lst "$tree/boot/grub/$platform/"
done
`
  const args = [insideTools(build.folders, tree), String(build.epoch), ...platforms]
  await runTool(build, ['sh', '-euc', script, 'sh', ...args], { what: 'copying the modules of GRUB' })
  const config = renderGrubConfig(place, await readBootFacts(build, disk))
  await runOnHost(build, ['sh', '-euc', 'cat >"$1/boot/grub/grub.cfg"', 'sh', tree], {
    input: config,
    what: 'writing grub.cfg',
  })
  const later = ['find', path.join(tree, 'boot'), '-newermt', `@${build.cut}`]
  const touch = ['-exec', 'touch', '--no-dereference', `--date=@${build.epoch}`, '{}', '+']
  await runOnHost(build, [...later, ...touch], { what: 'setting dates below /boot' })
}

/** Writes what lies outside of filesystems, and returns the folder that becomes the ESP's content. */
export async function installBootCode(build: Build, disk: Disk): Promise<void> {
  const bios = disk.partitions.find(({ content }) => content.kind === 'bios')
  if (!disk.layout.boot.bios || bios === undefined) return
  const folder = path.join(outFolder(build.folders), 'bios')
  await makeCore(build, disk, { platform: 'i386-pc', output: path.join(folder, 'core.img') })
  const core = await readFile(path.join(folder, 'core.img'))
  const boot = await readFile(path.join(folder, 'boot.img'))
  if (core.length > bios.size) {
    throw new ImgError(
      'OPTION_INVALID',
      `GRUB needs ${core.length} bytes but the partition ${bios.name} has ${bios.size}`,
      { hint: 'make it 1 MiB larger' },
    )
  }
  await writeBootCode(disk.file, { boot, core, bios })
}

/** BOOTX64.EFI under the name firmware looks for on a disk it has never seen. */
export async function makeEfiTree(build: Build, disk: Disk, tree: string): Promise<void> {
  const [platform, name] = efiPlatforms[build.work.arch] ?? ['x86_64-efi', 'BOOTX64.EFI']
  const output = path.join(outFolder(build.folders), 'efi', name)
  await makeCore(build, disk, { platform, output })
  await runOnHost(build, ['install', '-D', '-m', '0644', output, path.join(tree, 'EFI/BOOT', name)], {
    what: `installing ${name}`,
  })
  await runOnHost(build, ['find', tree, '-exec', 'touch', '-h', `--date=@${build.epoch}`, '{}', '+'], {
    what: 'setting dates of the EFI system partition',
  })
}

/** The partitions GRUB reads, and the path of /boot on its own. */
function bootPlace(disk: Disk): BootPlace {
  const ids = deriveDiskIds(disk.layout).partitions
  const at = (mount: string): PlacedPartition | undefined =>
    disk.partitions.find(({ content }) => 'mount' in content && content.mount === mount)
  const root = at('/')
  const boot = at('/boot') ?? root
  return {
    rootUuid: ids[root?.name ?? '']?.filesystem ?? '',
    bootUuid: ids[boot?.name ?? '']?.filesystem ?? '',
    bootPath: boot === root ? '/boot' : '',
  }
}

function platformsOf(build: Build, disk: Disk): readonly string[] {
  const efi = (efiPlatforms[build.work.arch] ?? ['x86_64-efi'])[0] ?? ''
  return [...(disk.layout.boot.bios ? ['i386-pc'] : []), ...(disk.layout.boot.uefi ? [efi] : [])]
}

const efiPlatforms: Readonly<Record<string, readonly [string, string]>> = {
  amd64: ['x86_64-efi', 'BOOTX64.EFI'],
  arm64: ['arm64-efi', 'BOOTAA64.EFI'],
}

/** With the image's own GRUB where it has one, so that core image and modules are of one version. */
async function makeCore(
  build: Build,
  disk: Disk,
  target: { readonly platform: string; readonly output: string },
): Promise<void> {
  const { platform, output } = target
  const place = bootPlace(disk)
  const early = `search.fs_uuid ${place.bootUuid} root\nset prefix=($root)${place.bootPath}/grub\n`
  const modules = platform === 'i386-pc' ? [...coreModules, 'biosdisk'] : coreModules
  const ownGrub = ['test', '-d', `/usr/lib/grub/${platform}`, '-a', '-x', '/usr/bin/grub-mkimage']
  const own = await build.session.run(ownGrub, { root: build.folders.image, quiet: true })
  const script = `
platform=$1 output=$2 prefix=$3; shift 3
cat >/tmp/early.cfg
grub-mkimage -O "$platform" -d "/usr/lib/grub/$platform" -p "$prefix" -c /tmp/early.cfg -o "$output" "$@"
test "$platform" != i386-pc || cp /usr/lib/grub/i386-pc/boot.img "\${output%/*}/boot.img"
`
  await mkdir(path.dirname(output), { recursive: true })
  const seenAs =
    own.exitCode === 0
      ? path.join(outInImage, path.relative(outFolder(build.folders), output))
      : insideTools(build.folders, output)
  const args = [platform, seenAs, `${place.bootPath}/grub`, ...modules]
  const run = own.exitCode === 0 ? runInImage : runTool
  await run(build, ['sh', '-euc', script, 'sh', ...args], {
    input: early,
    env: { SOURCE_DATE_EPOCH: String(build.epoch) },
    what: `making GRUB's core image for ${platform}`,
  })
}

const coreModules: readonly string[] =
  'part_gpt part_msdos fat ext2 xfs normal configfile linux search search_fs_uuid search_label serial terminal test echo'.split(
    ' ',
  )

async function readBootFacts(build: Build, disk: Disk): Promise<BootFacts> {
  const { tree } = build.folders
  const release = await readFile(path.join(tree, 'etc/os-release'), 'utf8').catch(() => '')
  return {
    title: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? 'Linux',
    files: await readdir(path.join(tree, 'boot')),
    cmdline: disk.layout.boot.cmdline,
    timeout: disk.layout.boot.timeout,
  }
}

async function writeBootCode(
  file: string,
  code: { readonly boot: Buffer; readonly core: Buffer; readonly bios: PlacedPartition },
): Promise<void> {
  const sector = BigInt(code.bios.start / 512)
  const boot = Buffer.from(code.boot.subarray(0, 440))
  boot.writeBigUInt64LE(sector, 0x5c)
  // Any drive the BIOS names is believed; the jump that would doubt it becomes two no-operations, as grub-setup does.
  boot[0x64] = 0xff
  boot[0x66] = 0x90
  boot[0x67] = 0x90
  const core = Buffer.from(code.core)
  core.writeBigUInt64LE(sector + 1n, 0x1f4)
  core.writeUInt16LE(Math.ceil(core.length / 512) - 1, 0x1fc)
  const handle = await open(file, 'r+')
  try {
    await handle.write(boot, 0, boot.length, 0)
    await handle.write(core, 0, core.length, code.bios.start)
  } finally {
    await handle.close()
  }
}
