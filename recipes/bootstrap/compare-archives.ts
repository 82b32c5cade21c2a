// The recipe's options choose what is installed from, the answer file what the image updates from: they must agree,
// because the repositories' state is an input, and inputs are known before any file is read.

import type { Finding } from '../../preseed/finding.ts'
import type { AptSettings } from '../../preseed/read-apt.ts'
import { type Archives, defaultComponents } from '../archives.ts'

export function compareArchives(apt: AptSettings, build: Archives): readonly Finding[] {
  return [...compareSuite(apt, build), ...compareServices(apt, build), ...compareComponents(apt, build)]
}

function compareSuite({ suite }: AptSettings, build: Archives): readonly Finding[] {
  if (suite === undefined || suite.name === build.suite) return []
  return [
    {
      severity: 'error',
      line: suite.line,
      message: `mirror/suite is ${suite.name} but the recipe bootstrap installs ${build.suite}`,
      hint: `write ${build.suite} here, or suite: '${suite.name}' in the imgfile`,
    },
  ]
}

function compareServices(apt: AptSettings, build: Archives): readonly Finding[] {
  return (['security', 'updates'] as const).flatMap((name): readonly Finding[] => {
    const installed = build[name] ?? true
    if (apt[name] === installed) return []
    const [here, there] = installed ? ['does not select', 'does'] : ['selects', 'does not']
    return [
      {
        severity: 'error',
        line: apt.servicesLine,
        message: `apt-setup/services-select ${here} ${name}, but the recipe bootstrap ${there} install from it`,
        hint: `write ${name}: ${apt[name]} in the imgfile, or ${installed ? 'add' : 'remove'} ${name} here`,
      },
    ]
  })
}

function compareComponents(apt: AptSettings, build: Archives): readonly Finding[] {
  const installed = build.components ?? defaultComponents
  const missing = apt.components.filter((name) => !installed.includes(name))
  // Only what the imgfile asks for itself; the default is no wish.
  const surplus = (build.components ?? []).filter((name) => !apt.components.includes(name))
  return [
    ...missing.map((name): Finding => ({
      severity: 'error',
      line: apt.componentLines[name] ?? 0,
      message: `the image is to use ${name}, but the recipe bootstrap installs from ${installed.join(', ')} only`,
      hint: `write components: [${[...installed, name].map((one) => `'${one}'`).join(', ')}] in the imgfile`,
    })),
    ...surplus.map((name): Finding => ({
      severity: 'warning',
      line: 0,
      message: `packages may be installed from ${name}, but the image will get no updates from there`,
      hint: `set apt-setup/${name} to true, or remove ${name} from components in the imgfile`,
    })),
  ]
}
