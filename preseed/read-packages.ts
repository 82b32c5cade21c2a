// Which packages are installed beyond the base system.

import type { Sheet } from './sheet.ts'

export interface PackageSettings {
  /** Priority `important` is what the installer's base system is, `standard` adds its task of that name. */
  readonly variant: 'important' | 'standard'
  readonly include: readonly string[]
  /** `task-…` packages; a task is little more than what it recommends. */
  readonly tasks: readonly string[]
  readonly kernel: string
  readonly recommends: boolean
  /** Packages are upgraded without anybody asking for it. */
  readonly unattendedUpgrades: boolean
  /** Every module in the initramfs, or only those for the machine it is made on. */
  readonly initramfsModules: 'most' | undefined
}

export function readPackages(sheet: Sheet): PackageSettings {
  const { standard, tasks } = readTasks(sheet)
  const listed = ['pkgsel/include', 'base-installer/includes', 'base-installer/kernel/linux/extra-packages']
  const include = listed.flatMap((question) => readList(sheet, question))
  const policy = readPolicy(sheet)
  reportUpgrade(sheet)
  return {
    variant: standard ? 'standard' : 'important',
    include: [...new Set([...include, ...(policy ? ['unattended-upgrades'] : [])])].toSorted(),
    tasks,
    kernel: readKernel(sheet),
    recommends: sheet.flag('base-installer/install-recommends', true),
    unattendedUpgrades: policy,
    initramfsModules: readInitramfs(sheet),
  }
}

const packagePattern: RegExp = /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:[=/][A-Za-z0-9.+:~-]+)?$/

function readList(sheet: Sheet, question: string): readonly string[] {
  const answer = sheet.answer(question)
  const names = (answer?.value ?? '').split(/[\s,]+/).filter(Boolean)
  const wrong = names.find((name) => !packagePattern.test(name))
  if (wrong !== undefined) {
    sheet.error(answer, `"${wrong}" in ${question} is no package name`, 'separate package names by spaces')
  }
  return names.filter((name) => packagePattern.test(name))
}

/** Every task but `standard` is a package of its own. */
function readTasks(sheet: Sheet): { readonly standard: boolean; readonly tasks: readonly string[] } {
  const answer = sheet.answer('tasksel/first')
  const run = sheet.flag('pkgsel/run_tasksel', true)
  const chosen = (answer?.value ?? '')
    .split(',')
    .map((task) => task.trim())
    .filter((task) => task !== '' && task !== 'none')
  const known = run ? chosen : []
  if (!run && chosen.length > 0) {
    sheet.warn(
      answer,
      'the tasks are not installed, since pkgsel/run_tasksel is false',
      'remove one of the two lines',
    )
  }
  const tasks = known.filter((task) => task !== 'standard')
  const wrong = tasks.find((task) => !/^[a-z][a-z0-9-]*$/.test(task))
  if (wrong !== undefined) {
    sheet.error(answer, `"${wrong}" is no task`, 'separate names like standard, ssh-server by commas')
  }
  return {
    standard: known.includes('standard'),
    tasks: tasks.filter((task) => task !== wrong).map((task) => `task-${task.replace(/^task-/, '')}`),
  }
}

function readKernel(sheet: Sheet): string {
  const answer = sheet.answer('base-installer/kernel/image')
  const name = answer?.value || 'linux-image-amd64'
  if (name === 'none') {
    sheet.error(answer, 'a disk without kernel does not boot', 'name a kernel, or remove the line')
  } else if (!packagePattern.test(name)) {
    sheet.error(answer, `"${name}" is no kernel package`, 'write it like linux-image-amd64')
  }
  const skip = sheet.answer('base-installer/kernel/skip-install')
  if (skip?.value === 'true') {
    sheet.error(skip, 'a disk without kernel does not boot', 'remove the line')
  }
  return name
}

function readInitramfs(sheet: Sheet): 'most' | undefined {
  const generator = sheet.answer('base-installer/initramfs/generator')
  if (generator !== undefined && generator.value !== '' && generator.value !== 'initramfs-tools') {
    sheet.error(generator, `the initramfs is not made by "${generator.value}"`, 'use initramfs-tools')
  }
  const questions = [
    'base-installer/initramfs-tools/driver-policy',
    'base-installer/kernel/linux/initramfs-tools/driver-policy',
  ].map((question) => sheet.answer(question))
  const answer = questions.find((one) => one !== undefined && one.value !== '')
  if (answer === undefined) return undefined
  if (answer.value === 'most') return 'most'
  sheet.error(
    answer,
    `an initramfs for the hardware it is made on ("${answer.value}") boots nowhere else`,
    'write most, or remove the line',
  )
  return undefined
}

function readPolicy(sheet: Sheet): boolean {
  const answer = sheet.answer('pkgsel/update-policy')
  const policy = answer?.value || 'none'
  if (policy === 'unattended-upgrades') return true
  if (policy !== 'none') {
    sheet.error(answer, `there is no update policy "${policy}"`, 'choose none or unattended-upgrades')
  }
  return false
}

function reportUpgrade(sheet: Sheet): void {
  const answer = sheet.answer('pkgsel/upgrade')
  if (answer === undefined || ['', 'safe-upgrade', 'full-upgrade'].includes(answer.value)) return
  if (answer.value === 'none') {
    sheet.warn(
      answer,
      'pkgsel/upgrade none has no effect: the newest packages of all suites are installed at once',
      'for the release as it was, deselect security and updates in apt-setup/services-select',
    )
    return
  }
  sheet.error(answer, `there is no upgrade "${answer.value}"`, 'choose none, safe-upgrade or full-upgrade')
}
