// This repository's own images: the example, the dogfood and the end-to-end test in one.
import { defineImgfile, layer } from 'imgfile'
import { bootstrap, install, puppet, sysprep, trim } from 'imgfile/recipes'
import { docker, openstack, vagrant } from 'imgfile/targets'

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
// what is changed more often, the cleaning, is a layer of its own.
const installed = layer(
  'installed:trixie-di',
  install({ answers: 'preseed/trixie.cfg', location: { suite: 'trixie' }, disk: '4G' }),
)
const cleaned = layer('install:trixie-di', [sysprep(), trim()], { from: installed })

export default defineImgfile({
  layers: [...bases.flatMap(({ first, base }) => [first, base]), ...roles, installed, cleaned],
  targets: roles.flatMap((role) => [docker(role), openstack(role), vagrant(role, boxOf(role.name.slice(5)))]),
})
