/** Some at a time; after a failure no other begins, and the first failure is thrown when all that began have ended. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  let failed = false
  const take = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return
      try {
        await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const taken = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, take))
  const rejected = taken.find((result) => result.status === 'rejected')
  if (rejected !== undefined) throw rejected.reason
}
