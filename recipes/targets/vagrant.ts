// Boxes for Vagrant, for VirtualBox and libvirt, and the catalog that leads from version to version.

import { ImgError } from '../../tasks/errors.ts'
import { checkOptions, isText, listOf, matching, oneOf } from '../../tasks/plan/options.ts'
import type { Facts, Layer } from '../../tasks/plan/recipe.ts'
import type { ExportStep } from '../../tasks/plan/export-step.ts'
import { compareVersions } from '../../tasks/plan/compare-versions.ts'
import type { JsonValue, Step } from '../../tasks/plan/step.ts'
import { addUser } from '../bootstrap/accounts.ts'
import { requireTraits, type BootsBios, type Debian } from '../traits.ts'
import { ovf } from './ovf.ts'
import { target, targetDisk, targetRules, type TargetOptions } from './target.ts'

export interface VagrantOptions extends TargetOptions {
  /** What users write into `config.vm.box`: `example/ceph-node`. */
  readonly box: string
  /** `1.0.17`; whoever has a lower one is told of this one. */
  readonly version: string
  /** Folder of the boxes as clients reach it: `https://boxes.example.org/ceph-node`. */
  readonly url: string
  /** The catalog so far, relative to the imgfile: its other versions stay. */
  readonly catalog?: string
  readonly description?: string
  /** Both by default. */
  readonly providers?: readonly ('libvirt' | 'virtualbox')[]
}

/**
 * `libvirt.box`, `virtualbox.box` and `catalog.json`, which `config.vm.box_url` names.
 *
 * @example vagrant(role, { box: 'example/ceph-node', version: '1.0.0', url: 'https://boxes.example.org/ceph-node' })
 */
export function vagrant(from: Layer<Debian & BootsBios>, options: VagrantOptions): Layer {
  checkOptions('vagrant', options, rules)
  requireTraits('vagrant', from, {
    debian: 'has no package archives to install rsync and sudo from',
    bios: 'does not boot by BIOS',
  })
  const { providers = ['libvirt', 'virtualbox'], catalog } = options
  return target('vagrant', {
    from: vagrantDisk(from),
    of: from,
    options,
    inputs: catalog === undefined ? {} : { catalog: { kind: 'text', path: catalog } },
    steps: (facts) => [
      ...providers.flatMap((provider) => boxes[provider]),
      { do: 'emit', to: 'catalog.json', text: makeCatalog(options, providers, facts) },
      { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' },
    ],
  })
}

const rules = {
  required: {
    box: matching(/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/, 'not user/box'),
    version: matching(/^\d+\.\d+\.\d+$/, 'not three numbers, X.Y.Z'),
    url: matching(/^(?:https?|file):\/\/[^\s{}]*[^\s{}/]$/, 'not an address without slash at its end'),
  },
  optional: {
    ...targetRules,
    catalog: isText,
    description: isText,
    providers: listOf(oneOf(['libvirt', 'virtualbox'])),
  },
}

/** The base boxes' conventions: an account everybody can enter, to be used on a developer's machine only. */
const vagrantDisk = (from: Layer<Debian>): Layer =>
  targetDisk('vagrant', from, { name: 'vagrant-account', steps: accountSteps })

/** Of `vagrant`, as the conventions want it. */
const passwordHash =
  '$6$img.vagrant$5lQeeK5uBCVjTXJa7v2kZ946mvrrvNNvgVbs1iBX08V6NvwHGUqvj.AJylZhbLzqVJ8zAl2Vee97J3PTWUpRt/'

/** Vagrant replaces it by a key of the machine's own at the first `vagrant up`. */
const insecureKey =
  'ssh-rsa AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltGEFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITAMzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFYbAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbIbEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ== vagrant insecure public key'

const owned = { owner: 'vagrant', group: 'vagrant' } as const

const accountSteps: readonly Step[] = [
  {
    do: 'apt',
    apt: 'apt',
    install: ['openssh-server', 'rsync', 'sudo'],
    remove: [],
    recommends: false,
  },
  ...addUser({
    name: 'vagrant',
    fullName: '',
    password: passwordHash,
    uid: undefined,
    groups: [],
    sudo: false,
  }),
  { do: 'mkdir', path: '/home/vagrant/.ssh', mode: '0700', ...owned },
  {
    do: 'write',
    path: '/home/vagrant/.ssh/authorized_keys',
    content: `${insecureKey}\n`,
    mode: '0600',
    ...owned,
  },
  { do: 'write', path: '/etc/sudoers.d/vagrant', content: 'vagrant ALL=(ALL) NOPASSWD: ALL\n', mode: '0440' },
  // Before the image's own settings: of a keyword the first value counts.
  {
    do: 'write',
    path: '/etc/ssh/sshd_config.d/00-vagrant.conf',
    content: `UseDNS no
Match User vagrant
  PubkeyAuthentication yes
  PasswordAuthentication yes
  AllowGroups *
Match all
`,
    mode: '0644',
  },
]

const vagrantfile = (lines: readonly string[]): string =>
  ['Vagrant.configure("2") do |config|', ...lines.map((line) => `  ${line}`), 'end', ''].join('\n')

/** Folders are copied by rsync: the image has no guest additions. */
const rsyncFolder = 'config.vm.synced_folder ".", "/vagrant", type: "rsync"'

const boxes: Readonly<Record<'libvirt' | 'virtualbox', readonly ExportStep[]>> = {
  libvirt: [
    { do: 'convert', to: 'libvirt/box.img', format: 'qcow2', compress: true, options: { compat: '1.1' } },
    {
      do: 'emit',
      to: 'libvirt/metadata.json',
      text: '{"provider":"libvirt","architecture":"{{deb-arch}}","format":"qcow2","virtual_size":{{disk-gib}}}\n',
    },
    { do: 'emit', to: 'libvirt/Vagrantfile', text: vagrantfile([rsyncFolder]) },
    {
      do: 'pack',
      to: 'libvirt.box',
      files: ['libvirt/metadata.json', 'libvirt/Vagrantfile', 'libvirt/box.img'],
      compress: 'none',
    },
  ],
  virtualbox: [
    {
      do: 'convert',
      to: 'virtualbox/disk.vmdk',
      format: 'vmdk',
      options: { subformat: 'streamOptimized' },
    },
    { do: 'emit', to: 'virtualbox/box.ovf', text: ovf('virtualbox/disk.vmdk') },
    {
      do: 'emit',
      to: 'virtualbox/metadata.json',
      text: '{"provider":"virtualbox","architecture":"{{deb-arch}}"}\n',
    },
    {
      do: 'emit',
      to: 'virtualbox/Vagrantfile',
      text: vagrantfile(['config.vm.base_mac = "080027{{hex6 mac}}"', rsyncFolder]),
    },
    {
      do: 'pack',
      to: 'virtualbox.box',
      files: [
        'virtualbox/metadata.json',
        'virtualbox/Vagrantfile',
        'virtualbox/box.ovf',
        'virtualbox/disk.vmdk',
      ],
      compress: 'none',
    },
  ],
}

interface Catalog {
  readonly name?: JsonValue
  readonly versions?: readonly { readonly version?: JsonValue }[]
}

/** The other versions as they were, and this one, the newest first. */
function makeCatalog(options: VagrantOptions, providers: readonly string[], facts: Facts): string {
  const { box, version, url, description = box } = options
  const before = options.catalog === undefined ? {} : readCatalog(options, facts.text('catalog'))
  const others = (before.versions ?? []).filter((one) => one.version !== version)
  const own = {
    version,
    status: 'active',
    providers: providers.map((provider) => ({
      name: provider,
      url: `${url}/${version}/${provider}.box`,
      checksum_type: 'sha256',
      checksum: `{{sha256 ${provider}.box}}`,
      architecture: '{{deb-arch}}',
      default_architecture: true,
    })),
  }
  const versions = [own, ...others].toSorted((one, other) => compareVersions(other.version, one.version))
  return `${JSON.stringify({ name: box, description, versions }, null, 2)}\n`
}

function readCatalog(
  { box }: VagrantOptions,
  { path, content }: { readonly path: string; readonly content: string },
): Catalog {
  const refuse = (what: string, hint: string): ImgError =>
    new ImgError('INPUT_INVALID', `${path} ${what}`, { path, hint })
  let catalog: Catalog
  try {
    catalog = JSON.parse(content) as Catalog
  } catch {
    throw refuse('is not JSON', 'take the catalog.json of the version before')
  }
  if (catalog.name !== box) {
    throw refuse(
      `is the catalog of ${JSON.stringify(catalog.name)}, not of ${box}`,
      'name the catalog of this box',
    )
  }
  return catalog
}
