// This repository's own images: the example, the dogfood and the end-to-end test in one.
import { defineImgfile, layer } from 'imgfile'
import { bootstrap, puppet } from 'imgfile/recipes'

const releases = ['trixie', 'bookworm'] as const

const bases = releases.map((suite) => {
  const install = layer(`install:${suite}`, bootstrap({ suite, preseed: `preseed/${suite}.cfg`, disk: '4G' }))
  const base = layer(`base:${suite}`, puppet({ environment: 'puppet', role: 'base', suite }), {
    from: install,
  })
  return { install, base }
})

const [trixie] = bases
const roles = ['ceph-node', 'openstack-compute', 'openstack-network'].map((role) =>
  layer(`role:${role}`, puppet({ environment: 'puppet', role, suite: 'trixie' }), { from: trixie!.base }),
)

export default defineImgfile({ layers: [...bases.flatMap(({ install, base }) => [install, base]), ...roles] })
