import { setTimeout as delay } from 'node:timers/promises'
import type { RevisionedStore } from '@tributary/store'
import { afterEach, beforeEach } from 'vitest'

/** One store under test. It has no keys, nobody else uses it, and its revision may be anything. */
export interface RevisionedStoreHarness {
  readonly store: RevisionedStore
  /** Closes the store and opens the same data again. Present when the capability `reopen` is declared. */
  readonly reopen?: () => Promise<RevisionedStore>
  /** Lets time pass for leases. Absent: the suite waits in real time. */
  readonly advanceLeaseTime?: (ms: number) => void | Promise<void>
  /** Closes the store, if it is open, and removes what it left. */
  readonly cleanup: () => Promise<void>
}

/** What an adapter can do beyond the port, or cannot do in a test. A test of a missing capability is reported as skipped. */
export interface RevisionedStoreCapabilities {
  /** The harness can close the store and open its data again. */
  readonly reopen: boolean
  /** Shortest time to live that the store grants, in milliseconds. Lease tests use it. */
  readonly minLeaseTtlMs: number
}

/** Makes a fresh store for one test. */
export type CreateRevisionedStore = () => Promise<RevisionedStoreHarness>

/** The store of the running test. */
export interface StoreUnderTest {
  readonly store: RevisionedStore
  readonly capabilities: RevisionedStoreCapabilities
  /** Closes and opens the store; {@link store} is the new one afterwards. */
  reopen(): Promise<RevisionedStore>
  /** Lets time pass for leases. */
  pass(ms: number): Promise<void>
}

/** Gives each test of the surrounding `describe` a store of its own. */
export function useStore(create: CreateRevisionedStore, capabilities: RevisionedStoreCapabilities): StoreUnderTest {
  let harness: RevisionedStoreHarness | undefined
  let store: RevisionedStore | undefined
  beforeEach(async () => {
    harness = await create()
    store = harness.store
  })
  afterEach(async () => {
    await harness?.cleanup()
  })
  return {
    capabilities,
    get store() {
      return present(store, 'store')
    },
    async reopen() {
      store = await present(harness?.reopen, 'reopen')()
      return store
    },
    async pass(ms) {
      const advance = harness?.advanceLeaseTime
      await (advance === undefined ? delay(ms) : advance(ms))
    },
  }
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the harness has no ${what}`)
  return value
}
