import { describe, expect, test } from 'vitest'
import { ramdisk } from '../../../recipes/targets/ramdisk.ts'
import { defaultTools } from '../../../recipes/tools.ts'
import { stepsOf } from '../steps-of.ts'
import { debian, parentLayer } from './parent-layer.ts'

const role = parentLayer('role:web', { debian } as const)

describe('ramdisk', () => {
  test('stands on a disk of its own, whose initramfs boots from memory', () => {
    const target = ramdisk(role)
    expect(target.name).toBe('ramdisk:web')
    const disk = target.from!
    expect(disk.name).toBe('ramdisk-disk:web')
    expect(disk.from).toBe(role)
    expect(disk.recipes[0]?.tools).toBe(defaultTools)
    expect(stepsOf(disk.recipes[0]!)).toMatchSnapshot()
  })

  test('is images over each other, of the layers it stands on', () => {
    const [recipe] = ramdisk(role).recipes
    expect(recipe?.chain).toBe(true)
    expect(stepsOf(recipe!).steps).toMatchSnapshot()
  })

  test('is one image, found where told, with what it may write', () => {
    const options = {
      url: 'http://boot.example.org:8080/web',
      stacked: false,
      arguments: ['quiet', 'systemd.machine_id=firmware'],
      size: '2G',
    }
    const [recipe] = ramdisk(role, options).recipes
    expect(recipe?.chain).toBe(false)
    const { steps } = stepsOf(recipe!)
    expect(steps[2]).toMatchObject({ do: 'squashfs', to: 'root.squashfs', layers: 'one' })
    expect(steps.find((step) => 'to' in step && step.to === 'grub.cfg')).toMatchObject({
      text: `menuentry 'web' {
  linux (http,boot.example.org:8080)/web/vmlinuz boot=img-ramdisk ip=dhcp img.root={{images root.squashfs}} img.url=http://boot.example.org:8080/web img.size=2G quiet systemd.machine_id=firmware
  initrd (http,boot.example.org:8080)/web/initrd.img
}
`,
    })
  })

  test('is one program, started with its own command line', () => {
    const { steps } = stepsOf(ramdisk(role, { form: 'uki', arguments: ['quiet'] }).recipes[0]!)
    const texts = steps.flatMap((step) => (step.do === 'emit' ? [[step.to, step.text]] : []))
    const line = 'boot=img-ramdisk img.root={{images root.squashfs}} quiet'
    expect(Object.fromEntries(texts)).toEqual({
      cmdline: `${line}\n`,
      // What iPXE passes replaces the command line, and it passes at least the program's name.
      'boot.ipxe': `#!ipxe\nchain ramdisk.efi ${line}\n`,
    })
  })

  test('needs packages', () => {
    // @ts-expect-error -- nothing is known of its packages
    expect(() => ramdisk(parentLayer('role:other', {}))).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'ramdisk: role:other has no package archives to install initramfs-tools from',
      }),
    )
  })

  test.each([
    [
      { url: 'https://boot.example.org' },
      'ramdisk: "url" is "https://boot.example.org", not an http:// address without slash at its end',
    ],
    [
      { url: 'http://boot.example.org/' },
      'ramdisk: "url" is "http://boot.example.org/", not an http:// address without slash at its end',
    ],
    [{ size: '2 GiB' }, 'ramdisk: "size" is "2 GiB", not a size, such as 2G or 50%'],
    [{ stacked: 'yes' }, 'ramdisk: "stacked" is "yes", not true or false'],
    [{ arguments: ['a', 1] }, 'ramdisk: "arguments" is ["a",1], whose item 1 is 1, not text'],
    [{ uri: 'x' }, 'ramdisk: unknown option "uri"'],
  ])('%j is refused', (options, message) => {
    expect(() => ramdisk(role, options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message }),
    )
  })
})
