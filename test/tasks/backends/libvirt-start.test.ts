import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { endAbandoned, noLibvirt, startLibvirt } from '../../../tasks/backends/libvirt-start.ts'
import { removeAbandoned } from '../../../tasks/run/workspace.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { fakePrograms } from '../../rig/fake-programs.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const ownOfUser = (directory: string): ReturnType<typeof startLibvirt> =>
  startLibvirt({ directory, name: 'img-1', connect: undefined, uid: 1000 })

test("a user's own libvirt is there before the command, and its folder goes with it", async () => {
  const directory = tempFolder()
  const libvirt = await ownOfUser(directory)
  const folder = libvirt.env['XDG_RUNTIME_DIR'] ?? ''
  expect(libvirt).toMatchObject({ connect: 'qemu:///session', name: 'img-1', isolation: 'none' })
  const { path } = fakePrograms({
    libvirtd: 'touch "$XDG_RUNTIME_DIR/listens"; exec sleep 60',
    virsh: 'test -e "$XDG_RUNTIME_DIR/listens"',
  })
  const argv = libvirt.wrap(['sh', '-c', 'ls "$XDG_RUNTIME_DIR"; echo "$1"', 'sh', "it's"])
  const { stdout, stderr } = await runProgram(argv, { env: { ...libvirt.env, PATH: path } })
  expect({ stdout, stderr }).toEqual({ stdout: "libvirt\nlibvirtd.log\nlistens\nit's\n", stderr: '' })
  await libvirt.close()
  expect([existsSync(folder), existsSync(join(directory, 'libvirt.json'))]).toEqual([false, false])
})

test('a libvirtd that ends at once is not waited for, and says why', async () => {
  const libvirt = await ownOfUser(tempFolder())
  const { path } = fakePrograms({ libvirtd: 'echo "cannot listen"; exit 1', virsh: 'exit 1' })
  const result = await runProgram(libvirt.wrap(['true']), { env: { ...libvirt.env, PATH: path } })
  await libvirt.close()
  expect(result).toMatchObject({ exitCode: noLibvirt, stderr: 'cannot listen\n' })
})

test("root's own libvirt is in namespaces that end with the command", async () => {
  const directory = tempFolder()
  const libvirt = await startLibvirt({ directory, name: 'img-1', connect: undefined, uid: 0 })
  expect(libvirt).toMatchObject({ connect: 'qemu:///system', isolation: 'namespace' })
  expect(libvirt.wrap(['virt-install', '--name', 'a b']).slice(-4)).toEqual([
    directory,
    'virt-install',
    '--name',
    'a b',
  ])
  await libvirt.close()
})

test('in a libvirt that others use, the domain of a killed build is destroyed by the next', async () => {
  const workspace = tempFolder({ 'part-0/disk.raw': '', log: '' })
  const directory = join(workspace, 'part-0')
  const libvirt = await startLibvirt({ directory, name: 'img-1', connect: 'qemu:///system', uid: 1000 })
  expect(libvirt.wrap(['virt-install'])).toEqual(['virt-install'])
  expect(libvirt.env).toEqual({ HOME: directory, LC_ALL: 'C.UTF-8', XDG_RUNTIME_DIR: '/run/user/1000' })
  const { path, folder } = fakePrograms({ virsh: 'echo "$@" >>"$(dirname "$0")/asked"' })
  await endAbandoned(workspace, path)
  await endAbandoned(workspace, path)
  expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('--connect qemu:///system destroy img-1\n')
})

test('what was written down when the build was killed is no reason for the next to fail', async () => {
  const workspace = tempFolder({
    'cache/work/w-killed/part-0/libvirt.json': '',
    'cache/work/w-killed.lock': '',
  })
  const part = join(workspace, 'cache/work/w-killed/part-0')
  writeFileSync(join(part, 'libvirt.json'), '{"connect":"qemu:///sys')
  await removeAbandoned(join(workspace, 'cache'))
  expect(existsSync(dirname(part))).toBe(false)
})
