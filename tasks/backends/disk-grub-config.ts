// Pure. The grub.cfg of a disk that has never run: grub-mkconfig asks the machine it runs on for device names.

export interface BootPlace {
  readonly rootUuid: string
  /** The filesystem that holds the kernels, and the path of /boot on it: `''` when it has its own partition. */
  readonly bootUuid: string
  readonly bootPath: '' | '/boot'
}

export interface BootFacts {
  /** What the menu calls the system: PRETTY_NAME of os-release. */
  readonly title: string
  /** File names below /boot, in any order. */
  readonly files: readonly string[]
  readonly cmdline: string
  readonly timeout: number
}

export function renderGrubConfig(place: BootPlace, facts: BootFacts): string {
  const serial = /console=ttyS(\d+)(?:,(\d+))?/.exec(facts.cmdline)
  const unit = serial?.[1] ?? '0'
  const terminals =
    serial === null
      ? []
      : [
          `serial --unit=${unit} --speed=${serial[2] ?? '115200'}`,
          'terminal_input console serial',
          'terminal_output console serial',
        ]
  const versions = facts.files
    .filter((name) => name.startsWith('vmlinuz-'))
    .map((name) => name.slice('vmlinuz-'.length))
    .toSorted((one, other) => compareVersions(other, one))
  return [
    configMark,
    'set default=0',
    `set timeout=${facts.timeout}`,
    ...terminals,
    `search --no-floppy --fs-uuid --set=root ${place.bootUuid}`,
    ...versions.flatMap((version) => renderEntry(version, place, facts)),
    '',
  ].join('\n')
}

/** First line of a grub.cfg that we may write again; `update-grub` in the running system replaces the whole file. */
export const configMark = '# Made by img. `update-grub` replaces it.'

function renderEntry(version: string, place: BootPlace, facts: BootFacts): readonly string[] {
  const initrd = `initrd.img-${version}`
  return [
    `menuentry '${facts.title.replaceAll("'", '')}, Linux ${version}' {`,
    `  linux ${place.bootPath}/vmlinuz-${version} root=UUID=${place.rootUuid} ro ${facts.cmdline}`.trimEnd(),
    ...(facts.files.includes(initrd) ? [`  initrd ${place.bootPath}/${initrd}`] : []),
    '}',
  ]
}

/** Numbers by value, everything else by code unit: `6.12.9` before `6.12.10`. */
function compareVersions(one: string, other: string): number {
  const left = one.match(/\d+|\D+/g) ?? []
  const right = other.match(/\d+|\D+/g) ?? []
  for (const [index, part] of left.entries()) {
    const against = right[index]
    if (against === undefined) return 1
    const difference = Number(part) - Number(against)
    if (Number.isNaN(difference) ? part !== against : difference !== 0) {
      return Number.isNaN(difference) ? (part < against ? -1 : 1) : difference
    }
  }
  return left.length - right.length
}
