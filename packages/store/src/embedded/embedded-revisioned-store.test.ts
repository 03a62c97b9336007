import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeRevisionedStore, ManualClock, type RevisionedStoreHarness } from '@tributary/testkit'
import { openEmbeddedStore } from './open-embedded-store.js'

async function createHarness(): Promise<RevisionedStoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-store-'))
  const clock = new ManualClock()
  const open = () => openEmbeddedStore({ path: join(folder, 'store.db'), clock })
  let store = await open()
  return {
    store,
    reopen: async () => {
      await store.close()
      store = await open()
      return store
    },
    advanceLeaseTime: (ms) => clock.advance(ms),
    cleanup: async () => {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
}

describeRevisionedStore('EmbeddedRevisionedStore', createHarness, { reopen: true, minLeaseTtlMs: 1_000 })
