// An answer file as typed settings, and everything worth saying about it. Pure.

import type { DiskLayout } from '../tasks/plan/disk-layout.ts'
import type { Finding } from './finding.ts'
import { layOutDisk } from './lay-out-disk.ts'
import { parsePreseed } from './parse-preseed.ts'
import { type AccountSettings, readAccounts } from './read-accounts.ts'
import { type AptSettings, readApt } from './read-apt.ts'
import { type BootSettings, readBoot } from './read-boot.ts'
import { type CommandSettings, readCommands } from './read-commands.ts'
import { type LocaleSettings, readLocale } from './read-locale.ts'
import { type NetworkSettings, readNetwork } from './read-network.ts'
import { type PackageSettings, readPackages } from './read-packages.ts'
import { readPartitioning } from './read-partitioning.ts'
import { reportUnread } from './report-unread.ts'
import { isInstallers, makeSheet } from './sheet.ts'

export interface PreseedSettings {
  readonly locale: LocaleSettings
  readonly network: NetworkSettings
  readonly apt: AptSettings
  readonly accounts: AccountSettings
  readonly packages: PackageSettings
  readonly boot: BootSettings
  readonly commands: CommandSettings
  /** Undefined while errors are among the findings, or when no disk size was given. */
  readonly disk: Pick<DiskLayout, 'size' | 'table' | 'partitions'> | undefined
  /** Lines for debconf-set-selections: the answers to every other package's questions, in the file's order. */
  readonly debconf: readonly string[]
}

export interface ReadPreseed {
  readonly settings: PreseedSettings
  /** By line. */
  readonly findings: readonly Finding[]
  /** The installer's questions whose answers decide something here. */
  readonly honoured: readonly string[]
}

/** `diskSize` in bytes lays the partitions out; without it only their recipe is checked. */
export function readPreseed(text: string, diskSize?: number): ReadPreseed {
  const { answers, findings } = parsePreseed(text)
  const sheet = makeSheet(answers)
  const partitioning = readPartitioning(sheet)
  const settings: PreseedSettings = {
    locale: readLocale(sheet),
    network: readNetwork(sheet),
    apt: readApt(sheet),
    accounts: readAccounts(sheet),
    packages: readPackages(sheet),
    boot: readBoot(sheet),
    commands: readCommands(sheet),
    disk:
      partitioning === undefined || diskSize === undefined
        ? undefined
        : layOutDisk(sheet, partitioning, diskSize),
    debconf: answers
      .filter((answer) => answer.owner !== 'd-i' && !isInstallers(answer))
      .map(({ owner, question, type, value }) => `${owner} ${question} ${type} ${value}`.trimEnd()),
  }
  reportUnread(sheet)
  const all = [...findings, ...sheet.findings()]
  return { settings, findings: all.toSorted((a, b) => a.line - b.line), honoured: sheet.honoured() }
}
