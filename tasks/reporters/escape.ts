// Text that others wrote (guests, tools, file names) before it reaches a terminal. Pure.

/** Control characters become visible, so that no output moves the cursor, recolours or retitles the terminal. */
export function escapeControls(text: string): string {
  return text.replaceAll(controls, (char) => {
    const code = char.charCodeAt(0)
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** C0 but tab and newline, DEL, C1, and the marks that reorder text. */
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Whole lines of a program's output: a carriage return overwrites the line it stands in, as a terminal would show. */
export function outputLines(text: string): string[] {
  const lines = text.split('\n').map((line) => {
    const shown = line.replace(/\r+$/, '')
    return escapeControls(withoutStyle(shown.slice(shown.lastIndexOf('\r') + 1)))
  })
  while (lines.at(-1) === '') lines.pop()
  return lines
}

/** Colours and cursor movements say nothing in a log; everything else stays visible. */
function withoutStyle(line: string): string {
  // oxlint-disable-next-line no-control-regex -- as above
  return line.replaceAll(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
}
