// Pure. Reads an installer's serial console as it comes: which phase it is in, and what it stands still at.

export interface InstallerProblem {
  readonly kind: 'question' | 'panic' | 'emergency'
  /** The question with its explanation, or the line that gave it away. */
  readonly text: string
}

export class InstallerConsole {
  /** What the installer does now, in its own words. */
  phase: string | undefined
  /** Standing at the end of what was said so far: more output makes it go away. */
  problem: InstallerProblem | undefined
  #text = ''
  /** A sequence whose end has not come yet. */
  #rest = ''

  /** True when a new phase began. */
  feed(chunk: string): boolean {
    const raw = this.#rest + chunk
    this.#rest = begunEscape.exec(raw)?.[0] ?? ''
    this.#text = (this.#text + visible(raw.slice(0, raw.length - this.#rest.length))).slice(-kept)
    const before = this.phase
    this.phase = lastPhase(this.#text) ?? before
    this.problem = findProblem(this.#text)
    return this.phase !== before
  }

  /** The last lines. */
  tail(count = 40): string {
    return lines(this.#text).slice(-count).join('\n')
  }
}

const kept = 64 * 1024

/** Without colours, cursor movements, and CR. */
const visible = (chunk: string): string => chunk.replaceAll(escapes, '').replaceAll(controls, '')

const escape = String.fromCodePoint(27)
const escapes = new RegExp(`${escape}(?:\\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78])`, 'g')
const begunEscape = new RegExp(`${escape}(?:\\[[0-9;?]{0,32}|[()])?$`)
/** All but newline and tab. */
const controls = /[^\P{Cc}\n\t]/gu

const lines = (text: string): readonly string[] =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')

/** debconf's progress, which grows within its line. */
const progress = /^(.+?)(?:; please wait)?(?:\.\.\.)?\s*\.\.\.\s+\d+%/

/** Anaconda's and subiquity's, a line each. */
const announced: readonly RegExp[] = [
  /^(?:\d{2}:\d{2}:\d{2} )?((?:Starting installer|Starting automated install|Creating disklabel|Setting up the installation environment|Installing boot loader|Performing post-installation|Configuring [a-z ]+|Running post-installation|Downloading \d+ RPMs|Preparing transaction).*)$/,
  /^(?:start: )?subiquity\/([A-Za-z]+\/[A-Za-z_]+)/,
]

function lastPhase(text: string): string | undefined {
  const [unfinished = '', ...finished] = text.split('\n').toReversed()
  const growing = progress.exec(unfinished)?.[1]
  if (growing !== undefined) return growing.trim()
  for (const line of finished) {
    for (const form of [progress, ...announced]) {
      const found = form.exec(line)?.[1]
      if (found !== undefined) return found.trim().replace(/\.+$/, '')
    }
  }
  return undefined
}

function findProblem(text: string): InstallerProblem | undefined {
  const panic = /Kernel panic - not syncing: (.*)/.exec(text)
  if (panic !== null) return { kind: 'panic', text: panic[1] ?? '' }
  const last = lines(text).at(-1) ?? ''
  const emergency = emergencies.find((form) => form.test(last))
  if (emergency !== undefined) return { kind: 'emergency', text: last }
  return questions.some((form) => form.test(last)) ? { kind: 'question', text: questionIn(text) } : undefined
}

/** What the installer waits at; some end their line and some do not. */
const questions: readonly RegExp[] = [
  /^\[Press enter to continue\]$/,
  /^Prompt: .*>$/,
  // Anaconda.
  /^Please (?:make a selection|make your choice|respond) .*:$/,
  /^Press ENTER to (?:exit|continue)/,
  // Subiquity.
  /^Continue with autoinstall\? \(yes\|no\)$/,
]

const emergencies: readonly RegExp[] = [
  /^Press Enter for (?:maintenance|system maintenance)/,
  /^\(initramfs\)$/,
  /^(?:dracut|anaconda)[^ ]*[#$]$/,
]

/** From behind the last progress to the prompt. */
function questionIn(text: string): string {
  const said = lines(text).slice(0, -1)
  const start = said.findLastIndex((line) => /\.\.\.\s+\d+%/.test(line) || kernelMessage.test(line))
  return said
    .slice(start + 1)
    .filter((line) => !/^-+$/.test(line))
    .map((line) => line.replace(/^!! (?:ERROR: )?/, '').trim())
    .join('\n')
    .slice(-longest)
}

const kernelMessage = /^\[ *\d+\.\d+\] /
const longest = 1500
