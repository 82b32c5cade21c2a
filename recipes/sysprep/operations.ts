// virt-sysprep's operations: those there are, those there were, and the ones `img` asks for by itself.

import type { Step } from '../../tasks/plan/step.ts'

/** Up to version 1.57. An older one is asked for its own list before it touches a disk. */
export const operations: readonly string[] = [
  'abrt-data',
  'backup-files',
  'bash-history',
  'blkid-tab',
  'ca-certificates',
  'crash-data',
  'cron-spool',
  'dhcp-client-state',
  'dhcp-server-state',
  'dovecot-data',
  'firewall-rules',
  'flag-reconfiguration',
  'fs-uuids',
  'ipa-client',
  'kerberos-data',
  'kerberos-hostkeytab',
  'logfiles',
  'lvm-system-devices',
  'lvm-uuids',
  'machine-id',
  'mail-spool',
  'net-hostname',
  'net-hwaddr',
  'net-nmconn',
  'pacct-log',
  'package-manager-cache',
  'pam-data',
  'passwd-backups',
  'puppet-data-log',
  'rh-subscription-manager',
  'rhn-systemid',
  'rpm-db',
  'samba-db-log',
  'smolt-uuid',
  'ssh-hostkeys',
  'ssh-userdir',
  'sssd-db-log',
  'tmp-files',
  'udev-persistent-net',
  'user-account',
  'utmp',
  'yum-uuid',
  'zsh-history',
]

/**
 * What a machine leaves behind by running. Not what a recipe or a role declares and virt-sysprep's own default takes
 * too: crontabs, authorized keys, connection profiles, a mail or file server's data, certificates of a domain. Not
 * what is random, and would make no two builds equal: UUIDs. Every version since 1.42 has these.
 */
export const defaultOperations: readonly string[] = [
  'abrt-data',
  'backup-files',
  'bash-history',
  'blkid-tab',
  'crash-data',
  'dhcp-client-state',
  'dhcp-server-state',
  'logfiles',
  'machine-id',
  'mail-spool',
  'net-hostname',
  'net-hwaddr',
  'pacct-log',
  'package-manager-cache',
  'pam-data',
  'passwd-backups',
  'puppet-data-log',
  'rh-subscription-manager',
  'rhn-systemid',
  'rpm-db',
  'smolt-uuid',
  'ssh-hostkeys',
  'sssd-db-log',
  'tmp-files',
  'udev-persistent-net',
  'utmp',
  'yum-uuid',
]

interface FormerOperation {
  readonly steps: readonly Step[]
  /** Behind `sysprep: `. */
  readonly warning: string
}

const neededItsOption = (name: string, instead: string): FormerOperation => ({
  steps: [],
  warning: `the operation ${name} is gone and did nothing without an option of its own; ${instead}`,
})

/** Until 1.26; `customize` took them over. */
export const formerOperations: Readonly<Record<string, FormerOperation>> = {
  // It gave a copy a seed of its own; one seed in an image would be the same in all that are made of it.
  'random-seed': {
    steps: [
      {
        do: 'remove',
        paths: ['/var/lib/systemd/random-seed', '/var/lib/urandom/random-seed', '/var/lib/random-seed'],
      },
    ],
    warning: 'the operation random-seed is gone; the seed is removed, and each machine makes its own',
  },
  hostname: {
    steps: [{ do: 'write', path: '/etc/hostname', content: 'localhost.localdomain\n', mode: '0644' }],
    warning: 'the operation hostname is gone; the name is set to localhost.localdomain, as it did',
  },
  delete: neededItsOption('delete', 'use a remove step'),
  firstboot: neededItsOption('firstboot', 'use firstboot()'),
  password: neededItsOption('password', 'use users()'),
  timezone: neededItsOption('timezone', "use run('ln -sf /usr/share/zoneinfo/… /etc/localtime')"),
}

/** They exist and are never asked for. */
export const refusedOperations: Readonly<Record<string, { readonly reason: string; readonly hint: string }>> =
  {
    customize: {
      reason: 'writes a new machine-id and a random seed into the image',
      hint: 'use the recipe for what it should do: run(), files(), users(), apt()',
    },
    script: { reason: 'needs scripts of its own', hint: 'use script() or run()' },
  }
