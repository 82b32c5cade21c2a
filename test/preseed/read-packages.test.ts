import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i pkgsel/include string vim -tree',
    ['error 3: "-tree" in pkgsel/include is no package name -> separate package names by spaces'],
  ],
  [
    'tasksel tasksel/first multiselect standard, Web Server',
    ['error 3: "Web Server" is no task -> separate names like standard, ssh-server by commas'],
  ],
  [
    'd-i pkgsel/run_tasksel boolean false\ntasksel tasksel/first multiselect standard',
    [
      'warning 4: the tasks are not installed, since pkgsel/run_tasksel is false -> remove one of the two lines',
    ],
  ],
  [
    'd-i base-installer/kernel/image string none',
    ['error 3: a disk without kernel does not boot -> name a kernel, or remove the line'],
  ],
  [
    'd-i base-installer/kernel/image string Linux!',
    ['error 3: "Linux!" is no kernel package -> write it like linux-image-amd64'],
  ],
  [
    'd-i base-installer/kernel/skip-install boolean true',
    ['error 3: a disk without kernel does not boot -> remove the line'],
  ],
  [
    'd-i base-installer/initramfs/generator select dracut',
    ['error 3: the initramfs is not made by "dracut" -> use initramfs-tools'],
  ],
  [
    'd-i base-installer/initramfs-tools/driver-policy select dep',
    [
      'error 3: an initramfs for the hardware it is made on ("dep") boots nowhere else -> write most, or remove the line',
    ],
  ],
  [
    'd-i pkgsel/update-policy select landscape',
    ['error 3: there is no update policy "landscape" -> choose none or unattended-upgrades'],
  ],
  [
    'd-i pkgsel/upgrade select none',
    [
      'warning 3: pkgsel/upgrade none has no effect: the newest packages of all suites are installed at once -> for the release as it was, deselect security and updates in apt-setup/services-select',
    ],
  ],
  [
    'd-i pkgsel/upgrade select all',
    ['error 3: there is no upgrade "all" -> choose none, safe-upgrade or full-upgrade'],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('packages, tasks and policies', () => {
  const answers = `d-i pkgsel/include string vim, tree=2.1.0-1
d-i base-installer/includes string tree=2.1.0-1
tasksel tasksel/first multiselect standard, ssh-server
d-i pkgsel/update-policy select unattended-upgrades
d-i base-installer/kernel/image string linux-image-cloud-amd64
d-i base-installer/install-recommends boolean false
d-i base-installer/initramfs-tools/driver-policy select most`
  expect(readPreseed(`${others}${answers}\n`).settings.packages).toEqual({
    variant: 'standard',
    include: ['tree=2.1.0-1', 'unattended-upgrades', 'vim'],
    tasks: ['task-ssh-server'],
    kernel: 'linux-image-cloud-amd64',
    recommends: false,
    unattendedUpgrades: true,
    initramfsModules: 'most',
  })
})
