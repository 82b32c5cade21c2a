import { openStore } from '../../cache/open-store.ts'
import { describeStore } from '../contract/store.ts'

describeStore('the local store', async (dir) => {
  const store = await openStore({ dir, now: () => 0 })
  return { store, close: () => store.close() }
})
