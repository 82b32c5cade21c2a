// Pure. Takes secrets out of what is shown or kept.

export interface Forms {
  readonly name: string
  /** Longest first. */
  readonly forms: readonly Buffer[]
}

/** Every form of every secret becomes `[secret:NAME]`. */
export function redactBytes(bytes: Buffer, secrets: readonly Forms[]): Buffer {
  let text = bytes.toString('latin1')
  for (const { name, form } of byLength(secrets)) text = text.replaceAll(form, `[secret:${name}]`)
  return Buffer.from(text, 'latin1')
}

export const redactText = (text: string, secrets: readonly Forms[]): string =>
  redactBytes(Buffer.from(text), secrets).toString()

/** How many bytes can be judged already: behind them a form begins that is not complete, or may become a longer one. */
function settled(bytes: Buffer, secrets: readonly Forms[]): number {
  const text = bytes.toString('latin1')
  const forms = byLength(secrets).map(({ form }) => form)
  let cut = text.length - Math.max(0, ...forms.map((form) => begun(text, form)))
  for (let before = -1; before !== cut;) {
    before = cut
    for (const form of forms) {
      const at = text.indexOf(form, Math.max(0, cut - form.length + 1))
      if (at !== -1 && at < cut) cut = at
    }
  }
  return cut
}

/** Length of the end of the text that is a beginning of the form, and not the whole. */
function begun(text: string, form: string): number {
  for (let length = Math.min(form.length - 1, text.length); length > 0; length--) {
    if (form.startsWith(text.slice(-length))) return length
  }
  return 0
}

/** A stream of text without secrets: what may be the beginning of one waits for the next piece, or the end. */
export class Redactor {
  readonly #secrets: () => readonly Forms[]
  #rest: Buffer = Buffer.alloc(0)

  constructor(secrets: () => readonly Forms[]) {
    this.#secrets = secrets
  }

  push(text: string): string {
    const secrets = this.#secrets()
    const bytes = Buffer.concat([this.#rest, Buffer.from(text)])
    const cut = settled(bytes, secrets)
    this.#rest = bytes.subarray(cut)
    return redactBytes(bytes.subarray(0, cut), secrets).toString()
  }

  end(): string {
    const rest = redactBytes(this.#rest, this.#secrets())
    this.#rest = Buffer.alloc(0)
    return rest.toString()
  }
}

/** Longest first over all, or a short one would break up what a longer one matches. */
const byLength = (secrets: readonly Forms[]): readonly { readonly name: string; readonly form: string }[] =>
  secrets
    .flatMap(({ name, forms }) => forms.map((form) => ({ name, form: form.toString('latin1') })))
    .toSorted((one, other) => other.form.length - one.form.length)
