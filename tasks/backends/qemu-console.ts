// Pure. Reads a machine's serial console as it comes: keeps its last lines and recognises what ends a boot.

export interface ConsoleProblem {
  readonly kind: 'panic' | 'emergency' | 'initramfs' | 'no-boot' | 'boot-loader'
  /** The line that gave it away. */
  readonly line: string
}

export class Console {
  /** Nothing more is to be expected: multi-user was reached, or one may log in. */
  ready = false
  readonly #lines: string[] = []
  #rest = ''

  /** The first problem in the new text; what comes after it is kept all the same. */
  feed(text: string): ConsoleProblem | undefined {
    const pieces = (this.#rest + text).split('\n')
    this.#rest = (pieces.pop() ?? '').slice(-longestLine)
    let problem: ConsoleProblem | undefined
    for (const piece of pieces) {
      const line = visible(piece)
      this.#keep(line)
      problem ??= lineProblem(line)
      this.ready ||= multiUser.test(line)
    }
    const prompt = visible(this.#rest)
    this.ready ||= prompt.endsWith(' login: ')
    return problem ?? promptProblem(prompt)
  }

  /** The last lines, as they stood on the screen. */
  tail(count = 40): string {
    return [...this.#lines, visible(this.#rest).trimEnd()]
      .filter((line) => line !== '')
      .slice(-count)
      .join('\n')
  }

  #keep(line: string): void {
    if (line === '') return
    // systemd redraws what it waits for twice a second; the last drawing is enough.
    if (progress.test(line) && progress.test(this.#lines.at(-1) ?? '')) this.#lines.pop()
    this.#lines.push(line)
    if (this.#lines.length > keptLines) this.#lines.shift()
  }
}

const keptLines = 200
const longestLine = 8192
const multiUser = /Reached target .*Multi-User System\.$/
const progress = /^\[[ *]+\] /

const lineProblems: readonly (readonly [ConsoleProblem['kind'], RegExp])[] = [
  ['panic', /Kernel panic - not syncing/],
  ['emergency', /^You are in (emergency|rescue) mode\b/],
  ['emergency', /^Cannot open access to console, the root account is locked/],
  ['initramfs', /^ALERT! .*Dropping to a shell!/],
  ['no-boot', /^No bootable device\.$/],
  ['no-boot', /^BdsDxe: No bootable option or device was found/],
  ['no-boot', /^UEFI Interactive Shell v/],
]

/** Prompts end without a newline: they are what the machine waits at. */
const promptProblems: readonly (readonly [ConsoleProblem['kind'], RegExp])[] = [
  ['initramfs', /^\(initramfs\) $/],
  ['emergency', /^Press Enter for (maintenance|system maintenance)/],
  ['emergency', /^Give root password for (maintenance|system maintenance)/],
  ['boot-loader', /^grub( rescue)?> $/],
]

const lineProblem = (line: string): ConsoleProblem | undefined => match(line, lineProblems)
const promptProblem = (line: string): ConsoleProblem | undefined => match(line, promptProblems)

function match(
  line: string,
  table: readonly (readonly [ConsoleProblem['kind'], RegExp])[],
): ConsoleProblem | undefined {
  const found = table.find(([, pattern]) => pattern.test(line))
  return found && { kind: found[0], line: line.trimEnd() }
}

/** Without colours and cursor movements; text after a carriage return has overwritten what stood before it. */
function visible(raw: string): string {
  const text = raw
    .replace(/\r+$/, '')
    // oxlint-disable-next-line no-control-regex -- escape sequences are control characters
    .replaceAll(/\u001B(?:\[[0-9;?!]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_c])/g, '')
  const shown = text.slice(text.lastIndexOf('\r') + 1)
  // oxlint-disable-next-line no-control-regex -- a terminal must not be steered by a guest
  return shown.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '')
}
