import { expect, test } from 'vitest'
import { docker } from '../../../recipes/targets/docker.ts'
import type { StepOf } from '../../../tasks/plan/step.ts'
import { stepsOf } from '../steps-of.ts'
import { parentLayer } from './parent-layer.ts'

const role = parentLayer('role:web')

function ociOf(...given: Parameters<typeof docker>): StepOf<'oci'> {
  const [step] = stepsOf(docker(...given).recipes[0]!).steps
  if (step?.do !== 'oci') throw new Error('no OCI step')
  return step
}

test('one layer for each of the chain, without what a container has no use for', () => {
  const target = docker(role)
  expect(target.name).toBe('docker:web')
  expect(target.recipes[0]?.chain).toBe(true)
  const { layers, ...step } = ociOf(role)
  expect(step).toEqual({
    do: 'oci',
    to: 'image.tar',
    compress: 'gzip',
    reference: 'web:latest',
    config: {
      Cmd: ['/bin/bash'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
  })
  expect(layers).toMatchObject({
    of: 'chain',
    exclude: expect.arrayContaining(['boot/', 'etc/fstab', 'dev/']),
  })
})

test('what the container does stands in its configuration', () => {
  const { config, reference } = ociOf(parentLayer('base:web'), {
    cmd: ['serve'],
    entrypoint: ['/usr/bin/init'],
    env: { PATH: '/bin', A: 'b' },
    labels: { a: 'b' },
    user: 'www-data',
    workdir: '/srv',
    ports: ['80/tcp'],
  })
  expect(reference).toBe('base-web:latest')
  expect(config).toEqual({
    Cmd: ['serve'],
    Env: ['PATH=/bin', 'A=b'],
    Entrypoint: ['/usr/bin/init'],
    Labels: { a: 'b' },
    User: 'www-data',
    WorkingDir: '/srv',
    ExposedPorts: { '80/tcp': {} },
  })
})

test.each([
  [{ reference: 'Web' }, 'docker: "reference" is "Web", not name:tag'],
  [{ ports: ['80'] }, 'docker: "ports" is ["80"], whose item 0 is "80", not port/protocol'],
  [{ workdir: 'srv' }, 'docker: "workdir" is "srv", not an absolute path'],
  [{ compress: 'xz' }, 'docker: "compress" is "xz", not one of gzip, zstd'],
  [{ command: [] }, 'docker: unknown option "command"'],
])('%j is refused', (options, message) => {
  expect(() => docker(role, options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message }),
  )
})
