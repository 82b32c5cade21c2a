import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { probeLibguestfs } from '../../../tasks/backends/libguestfs-probe.ts'
import { testContext } from '../../rig/run-context.ts'

function machine(): { readonly boot: string; readonly programs: string } {
  const folder = mkdtempSync(join(tmpdir(), 'img-probe-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const [boot, programs] = [join(folder, 'boot'), join(folder, 'bin')]
  mkdirSync(boot)
  mkdirSync(programs)
  writeFileSync(join(programs, 'guestfish'), '')
  chmodSync(join(programs, 'guestfish'), 0o755)
  return { boot, programs }
}

test('says which program is missing', async () => {
  expect(await probeLibguestfs(testContext(), machine())).toStrictEqual({
    available: false,
    reason: 'virt-sysprep not installed',
    hint: 'install libguestfs-tools and guestfs-tools',
  })
})

test('says that there is no kernel to boot', async () => {
  const here = machine()
  writeFileSync(join(here.programs, 'virt-sysprep'), '')
  chmodSync(join(here.programs, 'virt-sysprep'), 0o755)
  expect(await probeLibguestfs(testContext(), here)).toStrictEqual({
    available: false,
    reason: `no kernel in ${here.boot} that this user may read`,
    hint: 'install linux-image-amd64, or run `sudo chmod 0644 /boot/vmlinuz-*`',
  })
})
