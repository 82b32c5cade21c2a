// Pure. In how many shapes a value may turn up in bytes that others made of it.

/** Distinct, longest first. What is too short to be told from other text is left out. */
export function secretForms(value: Uint8Array): readonly Buffer[] {
  const bytes = Buffer.from(value)
  const pieces = [bytes, ...linesOf(bytes)]
  const forms = pieces.flatMap((piece) => [piece, ...encoded(piece)])
  const distinct = new Map(forms.map((form) => [form.toString('latin1'), form]))
  return [...distinct.values()]
    .filter(({ length }) => length >= shortestSecret)
    .toSorted((one, other) => other.length - one.length)
}

/** Bytes. Anything shorter would be found everywhere. */
export const shortestSecret = 6

/** A key in lines is printed, indented and copied line by line. */
function linesOf(bytes: Buffer): readonly Buffer[] {
  const lines = bytes.toString('latin1').split(/\r?\n/)
  if (lines.length === 1) return []
  return lines
    .filter((line) => line.length >= longLine && !line.startsWith('-----'))
    .map((line) => Buffer.from(line, 'latin1'))
}

const longLine = 16

function encoded(bytes: Buffer): readonly Buffer[] {
  const text = bytes.toString('utf8')
  const isText = Buffer.from(text).equals(bytes)
  const hex = bytes.toString('hex')
  const texts = isText ? textForms(text) : []
  return [...base64Forms(bytes), ...base64Lines(bytes), hex, hex.toUpperCase(), ...texts].map((form) =>
    Buffer.from(form),
  )
}

/** As MIME and PEM break it. */
function base64Lines(bytes: Buffer): readonly string[] {
  const text = bytes.toString('base64')
  return [64, 76].flatMap((width) =>
    text.length <= width
      ? []
      : (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).filter(({ length }) => length >= longLine),
  )
}

function textForms(text: string): readonly string[] {
  const url = encodeURIComponent(text)
  const json = JSON.stringify(text).slice(1, -1)
  // What else encodeURIComponent leaves alone, others encode.
  const strict = url.replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const marked = xml(text)
  return [
    [url, strict, url.replaceAll('%20', '+'), lowerEscapes(url), lowerEscapes(strict)],
    [json, json.replaceAll('/', '\\/'), asciiJson(json)],
    [marked, marked.replaceAll('"', '&quot;').replaceAll("'", '&#39;')],
    [marked.replaceAll('"', '&#34;').replaceAll("'", '&apos;')],
    [text.replaceAll("'", `'\\''`)],
  ].flat()
}

const lowerEscapes = (url: string): string => url.replaceAll(/%../g, (escape) => escape.toLowerCase())

const asciiJson = (json: string): string =>
  // oxlint-disable-next-line no-control-regex -- everything but ASCII
  json.replaceAll(/[^\u0000-\u007F]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

const xml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/**
 * Within a longer text a value may begin at any of three places of a base64 group; the characters at its ends also hold
 * bits of its neighbours and are left out.
 */
function base64Forms(bytes: Buffer): readonly string[] {
  const forms = [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '')
    const bits = (before + bytes.length) * 8
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(bits / 6))
  })
  const padded = bytes.toString('base64')
  return [padded, ...forms].flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}
