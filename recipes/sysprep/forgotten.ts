// What virt-sysprep leaves of a machine that ran. The seal, at the end of every layer, empties debconf's passwords and
// the machine-id and removes SSH host keys and seeds, whatever operations were asked for.

export const forgotten: readonly string[] = [
  // puppet, Debian's: certificates, what to ask of the CA, catalogs with their secrets, backups of files, reports.
  '/etc/puppet*/ssl/*',
  '/etc/puppet*/csr_attributes.yaml',
  '/var/cache/puppet/*',
  ...['bucket', 'client_data', 'client_yaml', 'clientbucket', 'reports', 'ssl', 'state', 'yaml'].map(
    (name) => `/var/lib/puppet/${name}/*`,
  ),
  '/var/log/puppet/*',
  // puppet, its makers' packages: the same, and a server's CA.
  '/etc/puppetlabs/puppet/ssl/*',
  '/etc/puppetlabs/puppet/csr_attributes.yaml',
  '/etc/puppetlabs/puppetserver/ca/*',
  '/opt/puppetlabs/puppet/cache/*',
  '/opt/puppetlabs/server/data/*/*',
  '/var/log/puppetlabs/*/*',
  // cloud-init's memory of the machine it has set up; not a seed somebody laid out for it.
  '/var/lib/cloud/instance',
  '/var/lib/cloud/instances/*',
  '/var/lib/cloud/data/*',
  '/var/lib/cloud/sem/*',
  '/var/lib/cloud/scripts/*/*',
  '/var/log/cloud-init*.log',
  '/etc/netplan/50-cloud-init.yaml',
  '/etc/network/interfaces.d/50-cloud-init',
  // Installers, whose logs hold the answers they were given.
  '/var/log/installer',
  '/var/log/anaconda',
  '/var/log/curtin',
  '/root/anaconda-ks.cfg',
  '/root/original-ks.cfg',
  '/root/curtin-install*',
  '/var/lib/debian-installer',
  '/etc/cloud/cloud.cfg.d/99-installer.cfg',
  '/etc/cloud/cloud.cfg.d/90-installer-network.cfg',
  // Scripts of virt-builder and virt-customize that ran at a first boot, and what they printed.
  '/usr/lib/virt-sysprep',
  '/etc/systemd/system/guestfs-firstboot.service',
  '/etc/systemd/system/*.wants/guestfs-firstboot.service',
  '/etc/init.d/virt-sysprep-firstboot',
  '/etc/rc*.d/S99virt-sysprep-firstboot',
  '/root/virt-sysprep-firstboot.log',
  '/tmp/builder.log',
  // Whom it has talked to.
  '/root/.ssh/known_hosts*',
  '/home/*/.ssh/known_hosts*',
]
