import { describe, expect, test } from 'vitest'
import { openstack } from '../../../recipes/targets/openstack.ts'
import { defaultTools } from '../../../recipes/tools.ts'
import type { StepOf } from '../../../tasks/plan/step.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { bootstrap } from '../../../recipes/bootstrap.ts'
import { apt } from '../../../recipes/apt.ts'
import { stepsOf } from '../steps-of.ts'
import { debian, parentLayer } from './parent-layer.ts'

const role = parentLayer('role:web', { debian, grows: true, bios: true, uefi: true } as const)

const emitted = (target: Layer, name: string): string => {
  const steps = stepsOf(target.recipes[0]!).steps
  const found = steps.find((step): step is StepOf<'emit'> => step.do === 'emit' && step.to === name)
  return found?.text ?? ''
}

describe('openstack', () => {
  test('stands on a disk of its own with cloud-init', () => {
    const target = openstack(role)
    expect(target.name).toBe('openstack:web')
    const disk = target.from!
    expect(disk.name).toBe('openstack-disk:web')
    expect(disk.from).toBe(role)
    const [recipe] = disk.recipes
    expect(recipe?.tools).toBe(defaultTools)
    expect(stepsOf(recipe!)).toMatchSnapshot()
  })

  test('makes a disk, its properties and the command that uploads it', () => {
    const target = openstack(role, {
      firmware: 'uefi',
      user: 'ops',
      properties: { hw_rng_model: 'none', a: "it's" },
    })
    expect(stepsOf(target.recipes[0]!).steps.map((step) => ('to' in step ? step.to : ''))).toEqual([
      'disk.qcow2',
      'image.json',
      'create.sh',
      'SHA256SUMS',
    ])
    expect(emitted(target, 'image.json')).toMatchInlineSnapshot(`
      "{
        "name": "web",
        "disk_format": "qcow2",
        "container_format": "bare",
        "min_disk": {{disk-gib}},
        "min_ram": 512,
        "size": {{size disk.qcow2}},
        "os_hash_algo": "sha512",
        "os_hash_value": "{{sha512 disk.qcow2}}",
        "properties": {
          "architecture": "{{machine}}",
          "hw_disk_bus": "scsi",
          "hw_scsi_model": "virtio-scsi",
          "hw_vif_model": "virtio",
          "hw_vif_multiqueue_enabled": "true",
          "hw_rng_model": "none",
          "hw_serial_port_count": "1",
          "hw_firmware_type": "uefi",
          "hw_machine_type": "q35",
          "img_key": "{{key}}",
          "os_admin_user": "ops",
          "os_distro": "debian",
          "os_type": "linux",
          "os_version": "13",
          "a": "it's"
        }
      }
      "
    `)
    expect(emitted(target, 'create.sh')).toMatchInlineSnapshot(`
      "#!/bin/sh
      # Uploads the image beside this file; more options of \`openstack image create\` may follow.
      exec openstack image create --disk-format qcow2 --container-format bare \\
        --min-disk {{disk-gib}} --min-ram 512 \\
        --property architecture={{machine}} \\
        --property hw_disk_bus=scsi \\
        --property hw_scsi_model=virtio-scsi \\
        --property hw_vif_model=virtio \\
        --property hw_vif_multiqueue_enabled=true \\
        --property hw_rng_model=none \\
        --property hw_serial_port_count=1 \\
        --property hw_firmware_type=uefi \\
        --property hw_machine_type=q35 \\
        --property img_key={{key}} \\
        --property os_admin_user=ops \\
        --property os_distro=debian \\
        --property os_type=linux \\
        --property os_version=13 \\
        --property 'a=it'\\''s' \\
        --file "$(dirname "$0")/disk.qcow2" "$@" web
      "
    `)
  })

  test('needs what only some layers have', () => {
    const noDisk = parentLayer('tools:x', {})
    const fixed = parentLayer('role:fixed', { debian, bios: true } as const)
    const biosOnly = parentLayer('role:old', { debian, grows: true, bios: true } as const)
    // @ts-expect-error -- nothing is known of its packages
    expect(() => openstack(noDisk)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'openstack: tools:x has no package archives to install cloud-init from',
        fields: { hint: 'make it from a layer that stands on one that does', layer: 'tools:x' },
      }),
    )
    // @ts-expect-error -- its root filesystem stays as it is
    expect(() => openstack(fixed)).toThrow('openstack: role:fixed has no root filesystem that grows')
    // @ts-expect-error -- it has no EFI partition
    expect(() => openstack(biosOnly, { firmware: 'uefi' })).toThrow(
      'openstack: role:old does not boot by UEFI',
    )
    expect(openstack(biosOnly).name).toBe('openstack:old')
  })

  test('knows a layer by what its first recipe said', () => {
    const preseed = { suite: 'trixie', preseed: 'a.cfg', disk: '4G' } as const
    const base = (firmware: 'bios' | 'uefi') =>
      layer(`install:${firmware}`, bootstrap({ ...preseed, firmware }))
    const bios = layer('role:bios', apt({ suite: 'trixie' }), {
      from: layer('install:bios', bootstrap({ ...preseed, firmware: 'bios' })),
    })
    expect(openstack(bios).from?.traits).toEqual({
      debian: { suite: 'trixie', components: ['main', 'non-free-firmware'], updates: true, security: true },
      grows: true,
      bios: true,
    })
    // @ts-expect-error -- said to boot by BIOS only
    expect(() => openstack(bios, { firmware: 'uefi' })).toThrow('does not boot by UEFI')
    expect(base('uefi').traits).not.toHaveProperty('bios')
  })

  test.each([
    [
      { datasources: ['Nocloud'] },
      'openstack: "datasources" is ["Nocloud"], whose item 0 is "Nocloud", not one of NoCloud, ConfigDrive, OpenStack, Ec2, None',
    ],
    [{ user: 'Debian' }, 'openstack: "user" is "Debian", no user name'],
    [{ minRam: 0 }, 'openstack: "minRam" is 0, not a number of MiB'],
    [{ image: "a'b" }, `openstack: "image" is "a'b", not a name without quotes`],
    [{ firmware: 'efi' }, 'openstack: "firmware" is "efi", not one of bios, uefi'],
    [{ propertys: {} }, 'openstack: unknown option "propertys"'],
  ])('%j is refused', (options, message) => {
    expect(() => openstack(role, options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message }),
    )
  })
})
