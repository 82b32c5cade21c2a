import type { InstallStep } from '../../tasks/plan/step.ts'

/** An installer's step with the least of answers. */
export function installStep(
  kind: InstallStep['answers']['kind'] = 'preseed',
  over: Partial<InstallStep> = {},
): InstallStep {
  return {
    do: 'install',
    input: '0.medium',
    answers: { kind, text: texts[kind] },
    arguments: ['console=ttyS0'],
    size: 1024 ** 3,
    firmware: 'bios',
    machine: { memory: 1024, cpus: 2, display: false },
    ...over,
  }
}

const texts = {
  preseed:
    'd-i mirror/protocol select http\nd-i mirror/http/hostname string ftp.example.org\nd-i mirror/http/directory string /debian\n',
  kickstart: 'lang C\n\n%packages\n%end\n',
  autoinstall: '{"late-commands":["true"],"version":1}\n',
}
