// This repository's own images: the example, the dogfood and the end-to-end test in one.
import { defineImgfile, layer } from 'imgfile'
import { apt, bootstrap, install, puppet, puppetAgent, sysprep, trim, virtBuilder } from 'imgfile/recipes'
import { docker, openstack, ramdisk, template, vagrant } from 'imgfile/targets'

const releases = ['trixie', 'bookworm'] as const

const bases = releases.map((suite) => {
  const first = layer(`install:${suite}`, bootstrap({ suite, preseed: `preseed/${suite}.cfg`, disk: '4G' }))
  const base = layer(`base:${suite}`, puppet({ environment: 'puppet', role: 'base', suite }), { from: first })
  return { first, base }
})

const [trixie] = bases
const roles = ['ceph-node', 'openstack-compute', 'openstack-network'].map((role) =>
  layer(`role:${role}`, puppet({ environment: 'puppet', role, suite: 'trixie' }), { from: trixie!.base }),
)

const boxOf = (name: string) => ({
  box: `example/${name}`,
  version: '1.0.0',
  url: `https://boxes.example.org/${name}`,
})

// The same system by Debian's own installer, from the same answer file. It runs for an hour where there is no KVM, so
// what is changed more often, the cleaning, is a layer of its own; and `role:*` does not mean what stands on it.
const installed = layer(
  'installed:trixie-di',
  install({ answers: 'preseed/trixie.cfg', location: { suite: 'trixie' }, disk: '4G' }),
  { manual: true },
)
const cleaned = layer('install:trixie-di', [sysprep(), trim()], { from: installed })

// From there on by templates: each is what virt-builder makes of the one before, a boot in which the puppet agent applies
// a role, and a cleaning. `img publish 'template:*-di' …` builds the whole chain and publishes every template of it.
const byAgent = (role: string) =>
  puppetAgent({ server: 'ephemeral', environment: 'puppet', role, suite: 'trixie' })
const agent = apt({ suite: 'trixie', install: ['puppet-agent'] })
const installedTemplate = template(cleaned)
const baseDi = layer('base:trixie-di', [virtBuilder(), agent, byAgent('base'), sysprep(), trim()], {
  from: installedTemplate,
})
const baseTemplate = template(baseDi)
const rolesDi = ['ceph-node', 'openstack-compute', 'openstack-network'].map((role) =>
  layer(`role:${role}-di`, [virtBuilder(), byAgent(role), sysprep(), trim()], { from: baseTemplate }),
)
const roleTemplates = rolesDi.map((role) =>
  template(role, { name: `template:${role.name.replace(':', '-')}` as const }),
)

export default defineImgfile({
  layers: [
    ...bases.flatMap(({ first, base }) => [first, base]),
    ...roles,
    installed,
    cleaned,
    baseDi,
    ...rolesDi,
  ],
  targets: [
    ...[trixie!.base, ...roles].map((role) => template(role)),
    installedTemplate,
    baseTemplate,
    ...roleTemplates,
    ...roles.flatMap((role) => [
      docker(role),
      openstack(role),
      ramdisk(role),
      vagrant(role, boxOf(role.name.slice(5))),
    ]),
  ],
})
