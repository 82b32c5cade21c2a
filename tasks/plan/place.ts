// Where the user wrote something, for messages: `imgfile.ts:12:3`.

/**
 * The first place on the stack outside the engine, the recipes and packages, which declare layers on a user's behalf.
 * V8 makes the text of a stack only when it is asked for, so the answer is a function.
 */
export function capturePlace(caller: (...args: never[]) => unknown): () => string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, caller)
  return () => placeIn(holder.stack ?? '')
}

/** `file.ts:12:3` taken apart; fields for ImgError. */
export function placeFields(place: string | undefined): { path?: string; line?: number } {
  const parts = /^(.*):(\d+):\d+$/.exec(place ?? '')
  return parts === null ? {} : { path: parts[1] ?? '', line: Number(parts[2]) }
}

/** Paths under `root` become relative to it. */
export function relativePlace(place: string | undefined, root: string | undefined): string | undefined {
  if (place === undefined || root === undefined) return place
  const folder = root.endsWith('/') ? root : `${root}/`
  return place.startsWith(folder) ? place.slice(folder.length) : place
}

function placeIn(stack: string): string | undefined {
  for (const line of stack.split('\n').slice(1)) {
    const frame = /^ +at (?:.*\()?(file:\/\/|)(\/[^()]*:\d+:\d+)\)?$/.exec(line)
    if (frame === null) continue
    const [, scheme = '', location = ''] = frame
    const place = scheme === '' ? location : decodeURIComponent(location)
    if (!place.includes('/node_modules/') && !ours.some((folder) => place.startsWith(folder))) return place
  }
  return undefined
}

const ours: readonly string[] = ['../', '../../recipes/'].map((folder) =>
  decodeURIComponent(new URL(folder, import.meta.url).pathname),
)
