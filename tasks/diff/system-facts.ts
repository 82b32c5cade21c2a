// What an image says about itself in its files: packages, accounts, services, capabilities, kernel command line. Pure.

import { readText, type ImageTree } from './tree.ts'

/** Each by name; what the value is depends on the kind and is compared as text. */
export interface SystemFacts {
  /** Version; with the architecture for one that is not the image's. */
  readonly packages: ReadonlyMap<string, string>
  /** uid, gid, home and shell. */
  readonly users: ReadonlyMap<string, string>
  /** gid and members. */
  readonly groups: ReadonlyMap<string, string>
  /** Mode and owner of each setuid or setgid file. */
  readonly setuid: ReadonlyMap<string, string>
  /** File capabilities, hexadecimal as the kernel keeps them. */
  readonly capabilities: ReadonlyMap<string, string>
  /** `enabled by …` or `masked`. */
  readonly services: ReadonlyMap<string, string>
  /** Of each entry of the boot menu. */
  readonly kernel: ReadonlyMap<string, string>
}

export const factKinds = [
  'packages',
  'users',
  'groups',
  'setuid',
  'capabilities',
  'services',
  'kernel',
] as const satisfies readonly (keyof SystemFacts)[]

export function readSystemFacts(tree: ImageTree): SystemFacts {
  return {
    packages: readPackages(readText(tree, 'var/lib/dpkg/status')),
    users: readColons(readText(tree, 'etc/passwd'), ([, , uid, gid, , home, shell]) =>
      [`uid ${uid}`, `gid ${gid}`, home, shell].join(' '),
    ),
    groups: readColons(readText(tree, 'etc/group'), ([, , gid, members]) =>
      `gid ${gid} ${members ?? ''}`.trimEnd(),
    ),
    setuid: select(tree, ({ kind, mode, uid, gid }) =>
      kind === 'file' && (mode & 0o6000) !== 0
        ? `${mode.toString(8).padStart(4, '0')} ${uid}:${gid}`
        : undefined,
    ),
    capabilities: select(tree, ({ attributes }) => {
      const value = attributes['security.capability']
      return value === undefined ? undefined : Buffer.from(value, 'latin1').toString('hex')
    }),
    services: readServices(tree),
    kernel: readKernel(readText(tree, 'boot/grub/grub.cfg')),
  }
}

/** Installed ones of a dpkg status file. */
function readPackages(status: string): ReadonlyMap<string, string> {
  const packages = new Map<string, string>()
  for (const paragraph of status.split('\n\n')) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''
    if (!/^Status: \S+ ok installed$/m.test(paragraph)) continue
    const name = field('Package')
    // Two architectures of one package can be installed.
    packages.set(packages.has(name) ? `${name}:${field('Architecture')}` : name, field('Version'))
  }
  return packages
}

function readColons(text: string, say: (fields: readonly string[]) => string): ReadonlyMap<string, string> {
  const lines = text.split('\n').filter((line) => line.includes(':'))
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), say(line.split(':'))]))
}

function select(
  { entries }: ImageTree,
  say: (
    entry: ImageTree['entries'] extends ReadonlyMap<string, infer Entry> ? Entry : never,
  ) => string | undefined,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [path, entry] of entries) {
    const text = say(entry)
    if (text !== undefined) found.set(`/${path}`, text)
  }
  return found
}

const unitFolder = 'etc/systemd/system/'

/** A unit is enabled by the links in folders named for what wants it, masked by a link to nothing. */
function readServices({ entries }: ImageTree): ReadonlyMap<string, string> {
  const services = new Map<string, string>()
  // Folders have no order of their own.
  const sorted = [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1))
  for (const [path, { kind, target }] of sorted) {
    if (!path.startsWith(unitFolder) || kind !== 'link') continue
    const [folder = '', unit] = path.slice(unitFolder.length).split('/')
    if (unit === undefined) {
      if (target === '/dev/null') services.set(folder, 'masked')
      continue
    }
    const by = folder.replace(/\.(?:wants|requires)$/, '')
    const before = services.get(unit)
    services.set(unit, before === undefined ? `enabled by ${by}` : `${before}, ${by}`)
  }
  return services
}

function readKernel(menu: string): ReadonlyMap<string, string> {
  const lines = [...menu.matchAll(/^\s*linux\s+(\S+)\s*(.*)$/gm)]
  const entries = new Map<string, string>()
  for (const [, kernel = '', cmdline = ''] of lines) {
    // The menu has a kernel plain, again among the others, and once more for recovery.
    const name = /\b(?:single|recovery)\b/.test(cmdline) ? `${kernel} (recovery)` : kernel
    let free = name
    for (let count = 2; (entries.get(free) ?? cmdline.trim()) !== cmdline.trim(); count++)
      free = `${name} (${count})`
    entries.set(free, cmdline.trim())
  }
  return entries
}
