// The part we use; the package has no types.
declare module 'fs-native-extensions' {
  /** False while another open file holds a lock that excludes it. */
  export function tryLock(fd: number, options?: { shared?: boolean }): boolean
  export function tryDowngradeLock(fd: number): boolean
  export function unlock(fd: number): void
}
