// Pure. From what two boots of one image reported to a verdict.

import type { BootReport } from './boot-report.ts'

/** What a layer promises of an image, from its catalog. */
export interface Expectations {
  /** Installed. */
  readonly packages: readonly string[]
  readonly services: readonly ExpectedService[]
}

export interface ExpectedService {
  /** As systemctl takes it: `ssh`, `ceph-osd.target`. */
  readonly name: string
  /** A unit whose condition does not hold yet counts as running: it waits for the site's configuration. */
  readonly running?: boolean
  readonly enabled?: boolean
}

export interface Check {
  readonly name: string
  readonly passed: boolean
  /** What was found, in a few words. */
  readonly detail: string
}

export function checkBoot(boot: BootReport, expected: Expectations): readonly Check[] {
  return [
    check('reaches multi-user', boot.multiUser, `systemd says ${boot.state}`),
    none('no failed unit', boot.failedUnits),
    none('no kernel error', boot.kernelErrors),
    none('no half-installed package', boot.audit === '' ? [] : [boot.audit.replaceAll('\n', ' ')]),
    check('has a machine id', /^[0-9a-f]{32}$/.test(boot.machineId), boot.machineId || 'none'),
    packagesCheck(boot, expected.packages),
    servicesCheck(boot, expected.services),
  ]
}

/** Two machines started from one image must not be taken for each other. */
export function checkIdentities(one: BootReport, other: BootReport): readonly Check[] {
  const shared = (of: (boot: BootReport) => readonly string[]): readonly string[] =>
    of(one).filter((value) => of(other).includes(value))
  return [
    check('own machine id', one.machineId !== other.machineId, `${one.machineId} and ${other.machineId}`),
    none(
      'own ssh host keys',
      shared(({ hostKeys }) => hostKeys),
      `${one.hostKeys.length} and ${other.hostKeys.length}, none shared`,
    ),
    none(
      'own DHCP identity',
      shared(({ duids }) => duids),
      `${one.duids.length} and ${other.duids.length} in files, none shared`,
    ),
    check(
      'own random seed',
      one.randomSeed !== other.randomSeed,
      `${one.randomSeed.slice(0, 8)} and ${other.randomSeed.slice(0, 8)}`,
    ),
    check('same packages', samePackages(one, other), `${Object.keys(one.packages).length} packages`),
  ]
}

/** The same machine started again. */
export function checkStability(first: BootReport, again: BootReport): readonly Check[] {
  const same = (of: (boot: BootReport) => readonly string[] | string): boolean =>
    String(of(first)) === String(of(again))
  return [
    check(
      'keeps its machine id',
      same((boot) => boot.machineId),
      `${first.machineId}, then ${again.machineId}`,
    ),
    check(
      'keeps its ssh host keys',
      same((boot) => boot.hostKeys),
      `${first.hostKeys.length} keys`,
    ),
  ]
}

/** Whether a failure may be this machine's: systemd gives most services 90 s, whatever the clock of an emulator is worth. */
export const isTooSlow = (boots: readonly BootReport[]): boolean =>
  boots.some(({ failedUnits, failedLog }) => failedUnits.length > 0 && /operation timed out/.test(failedLog))

const check = (name: string, passed: boolean, detail: string): Check => ({ name, passed, detail })

const none = (name: string, found: readonly string[], good = 'none'): Check =>
  check(name, found.length === 0, found.length === 0 ? good : list(found))

const list = (found: readonly string[]): string => {
  const more = found.length - shownNames
  return found.length === 0
    ? 'none'
    : found.slice(0, shownNames).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

const shownNames = 5

function packagesCheck(boot: BootReport, expected: readonly string[]): Check {
  const missing = expected.filter((name) => !Object.hasOwn(boot.packages, name))
  return missing.length === 0
    ? check('has its packages', true, `${expected.length} expected, all installed`)
    : check('has its packages', false, `not installed: ${list(missing)}`)
}

function servicesCheck(boot: BootReport, expected: readonly ExpectedService[]): Check {
  const wrong = expected.flatMap((service) => {
    const problem = serviceProblem(boot, service)
    return problem === undefined ? [] : [`${service.name} ${problem}`]
  })
  const waiting = expected.filter(({ name }) => boot.services[name]?.waitsForCondition === true)
  const detail = `${expected.length} expected, all there${waiting.length === 0 ? '' : `; ${waiting.length} wait for configuration`}`
  return wrong.length === 0
    ? check('has its services', true, detail)
    : check('has its services', false, list(wrong))
}

function serviceProblem(boot: BootReport, { name, running, enabled }: ExpectedService): string | undefined {
  const state = boot.services[name]
  if (state === undefined) return 'was not asked about'
  if (running === true && !state.loaded) return 'has no unit'
  if (running === true && !state.active && !state.waitsForCondition) return 'does not run'
  if (running === false && state.active) return 'runs'
  if (enabled === true && !startsAtBoot.has(state.enabled)) return `is ${state.enabled || 'not enabled'}`
  if (enabled === false && state.enabled === 'enabled') return 'is enabled'
  return undefined
}

/** A static unit is started by another one, so it cannot be enabled. */
const startsAtBoot: ReadonlySet<string> = new Set([
  'enabled',
  'enabled-runtime',
  'static',
  'alias',
  'indirect',
  'generated',
  'linked',
])

const samePackages = (one: BootReport, other: BootReport): boolean =>
  JSON.stringify(Object.entries(one.packages)) === JSON.stringify(Object.entries(other.packages))
