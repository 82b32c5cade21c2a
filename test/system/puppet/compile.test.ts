// What a change of the control repository does to the key, and what is refused, with a real puppet.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ImgError } from '../../../tasks/errors.ts'
import { type Change, resolve, valueOf } from './environment.ts'
import { canRun, makeTrees, type Trees } from './trees.ts'

const web = 'site-modules/profile/manifests/web.pp'

describe.runIf(canRun)('a compiled catalog', () => {
  let trees: Trees
  let digest: string
  beforeAll(async () => {
    trees = await makeTrees()
    ;({ digest } = await resolve(trees))
  })
  afterAll(() => trees.remove())

  const same: readonly [string, Change][] = [
    ['nothing', {}],
    ['a comment, which moves every line', { edit: [web, 'class profile::web', '# new\n\nclass profile::web'] }],
    ['the profile of another role', { edit: ['site-modules/profile/manifests/mail.pp', 'mail\\n', 'post\\n'] }],
    ['a hiera key nobody asks for', { edit: ['data/common.yaml', 'for this', 'for that'] }],
    ['a new file nobody refers to', { write: { 'site-modules/profile/files/new': 'x', 'README.md': 'x' } }],
  ]

  test.each(same)('stays the same with %s', async (_, change) => {
    expect((await resolve(trees, change)).digest).toBe(digest)
  })

  const other: readonly [string, Change][] = [
    ['a resource', { edit: [web, "mode   => '0600'", "mode   => '0640'"] }],
    ['a hiera key it uses', { edit: ['data/common.yaml', 'hello', 'welcome'] }],
    ['a template', { edit: ['site-modules/profile/templates/web.conf.epp', ' on ', ' at '] }],
    ['a puppet:/// file', { write: { 'site-modules/profile/files/rules': 'deny all\n' } }],
    ['a file in a recursive source', { write: { 'site-modules/profile/files/tree/sub/c': '' } }],
    ["a custom provider's Ruby", { edit: ['site-modules/profile/lib/puppet/provider/img_line/ruby.rb', '\\n', ''] }],
    ['another node name', { input: { node: 'other.invalid' } }],
    ['another fact', { input: { facts: { os: { name: 'Devuan' } } } }],
  ]

  test.each(other)('is another with %s', async (_, change) => {
    expect((await resolve(trees, change)).digest).not.toBe(digest)
  })

  test('says nothing of the machine and the moment it was compiled', async () => {
    const text = JSON.stringify(valueOf(await resolve(trees)).catalog)
    expect(text).not.toMatch(/"(version|catalog_uuid|code_id|file|line)":|\/run\/img\/environments|control\//)
    expect(text).toContain('"content":"hello on 8080 for Debian web.invalid\\n"')
    expect(text).toContain('{"__ptype":"Deferred","name":"inline_epp"')
  })

  const facts: readonly [string, string, string, Change][] = [
    ['in a manifest', 'kernel', `control/${web}:5`, edited("notice($facts['kernel'])")],
    ['nested', 'os.architecture', `control/${web}:5`, edited("notice($facts['os']['architecture'])")],
    ['as a variable', 'os.hardware', `control/${web}:5`, edited("notice($os['hardware'])")],
    ['with dig', 'networking', `control/${web}:5`, edited("notice($facts.dig('networking', 'ip'))")],
    ['with get', 'networking', `control/${web}:5`, edited("notice($facts.get('networking.ip', 'none'))")],
    [
      'in a template',
      'kernel',
      'control/site-modules/profile/templates/web.conf.epp:2',
      { edit: ['site-modules/profile/templates/web.conf.epp', "$facts['os']['name']", "$facts['kernel']"] },
    ],
    ['in hiera.yaml', 'tier', 'control/hiera.yaml:5', { edit: ['hiera.yaml', 'facts.role', 'facts.tier'] }],
    ['in hiera.yaml, short', 'tier', 'control/hiera.yaml:5', { edit: ['hiera.yaml', 'facts.role', '::tier'] }],
    ['in data', 'tier', 'control/data/common.yaml:2', { edit: ['data/common.yaml', 'hello', '"%{facts.tier}"'] }],
  ]

  test.each(facts)('an undeclared fact is refused: %s', async (...[, fact, place, change]) => {
    const error = await refusal(resolve(trees, change))
    expect([error.code, error.message]).toEqual([
      'PUPPET_FACT_UNDECLARED',
      `${place}: the fact ${fact} is used but not declared`,
    ])
    expect(error.fields).toMatchObject({ found: fact, validOptions: ['os', 'role'] })
    const declared = fact.split('.').reduceRight((inner, name) => `{ ${name}: ${inner} }`, '…')
    expect(error.fields.hint).toBe(`declare it in the imgfile: puppet({ …, facts: ${declared} })`)
  })

  test('asking whether a fact is there is no use of it', async () => {
    await expect(resolve(trees, edited("if 'kernel' in $facts { notice('there') }"))).resolves.toBeDefined()
  })

  const broken: readonly [string, string, Change][] = [
    ['a syntax error', `control/${web}:5: Syntax error at '}'`, edited('}}')],
    [
      'an unknown variable',
      `control/${web}:5: Unknown variable: 'nope'.`,
      edited('notice($nope)'),
    ],
    [
      'an unknown role',
      "control/manifests/site.pp:2: Error while evaluating a Function Call, Could not find class ::role::none for web.invalid",
      { input: { role: 'none' } },
    ],
    [
      'an unknown resource type',
      `control/${web}:5: Error while evaluating a Resource Statement, Unknown resource type: 'fil'`,
      edited("fil { '/x': }"),
    ],
    ['no manifest', 'control/manifests: there is no manifest to compile', { without: 'manifests' }],
    [
      'a source that is not there',
      `control/${web}:9: File[/etc/web.rules] has the source puppet:///modules/profile/none, but there is no site-modules/profile/files/none`,
      { edit: [web, 'modules/profile/rules', 'modules/profile/none'] },
    ],
  ]

  test.each(broken)('is refused with %s', async (_, message, change) => {
    const error = await refusal(resolve(trees, change))
    expect([error.code, error.message]).toEqual(['PUPPET_COMPILE', message])
  })

  test('is refused with a Sensitive in clear', async () => {
    const change = edited("file { '/etc/secret': content => Sensitive('geheim') }")
    const error = await refusal(resolve(trees, change))
    expect([error.code, error.message]).toEqual([
      'PUPPET_SENSITIVE',
      `control/${web}:5: File[/etc/secret] has a Sensitive value in content, which would be stored in clear`,
    ])
  })
})

/** One line more, the fifth, in the class of the role. */
function edited(line: string): Change {
  return { edit: [web, ') {\n', `) {\n${line}\n`] }
}

async function refusal(resolving: Promise<unknown>): Promise<ImgError> {
  return resolving.then(
    () => {
      throw new Error('nothing was refused')
    },
    (error: unknown) => error as ImgError,
  )
}
