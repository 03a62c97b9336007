import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeRevisionedStore, ManualClock, type RevisionedStoreHarness } from '@tributary/testkit'
import { newTestKeys } from '../encryption/test-keys.test-support.js'
import { type EmbeddedStoreOptions, openEmbeddedStore } from './open-embedded-store.js'

async function createHarness(options: Partial<EmbeddedStoreOptions> = {}): Promise<RevisionedStoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-store-'))
  const clock = new ManualClock()
  const open = () => openEmbeddedStore({ ...options, path: join(folder, 'store.db'), clock })
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

const CAPABILITIES = { reopen: true, minLeaseTtlMs: 1_000 }

describeRevisionedStore('EmbeddedRevisionedStore', () => createHarness(), CAPABILITIES)

// Everything but the newest revision then comes from the file.
describeRevisionedStore(
  'EmbeddedRevisionedStore with a window of one',
  () => createHarness({ memoryRevisions: 1 }),
  CAPABILITIES,
)

describeRevisionedStore(
  'EmbeddedRevisionedStore with encrypted values, read from the file',
  () => createHarness({ memoryRevisions: 1, keys: newTestKeys() }),
  CAPABILITIES,
)
