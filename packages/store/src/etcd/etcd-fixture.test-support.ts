import { isAppError } from '@tributary/kit'
import {
  EtcdServer,
  type EtcdServerOptions,
  eventually,
  FaultProxy,
  type History,
  type WatchRecord,
} from '@tributary/testkit'
import { afterEach, expect } from 'vitest'
import type {
  KeySelector,
  Mutation,
  RevisionedStore,
  StoreEvent,
  StoreRevision,
  WatchBatch,
} from '../revisioned-store.js'
import type { EtcdStoreOptions } from './etcd-options.js'
import type { EtcdRevisionedStore } from './etcd-revisioned-store.js'
import { openEtcdStore } from './open-etcd-store.js'

type Cleanup = () => Promise<unknown>

/** Servers, proxies, stores and watches of one test; they end with it, the last one first. */
export interface EtcdFixture {
  server(options?: EtcdServerOptions): Promise<EtcdServer>
  cluster(count: number): Promise<EtcdServer[]>
  proxy(server: EtcdServer): Promise<FaultProxy>
  store(endpoint: string, options?: Partial<EtcdStoreOptions>): Promise<EtcdRevisionedStore>
  watch(store: RevisionedStore, after: StoreRevision, select?: KeySelector): RecordingWatch
}

/** Gives each test of the surrounding `describe` an empty {@link EtcdFixture}. */
export function useEtcd(): EtcdFixture {
  const cleanups: Cleanup[] = []
  const own = <T>(thing: T, cleanup: Cleanup): T => {
    cleanups.push(cleanup)
    return thing
  }
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
  return {
    server: async (options) => {
      const server = await EtcdServer.start(options)
      return own(server, () => server.stop())
    },
    cluster: async (count) => {
      const servers = await EtcdServer.startCluster(count)
      return own(servers, () => Promise.all(servers.map((server) => server.stop())))
    },
    proxy: async (server) => {
      const proxy = await FaultProxy.start(server.port)
      return own(proxy, () => proxy.close())
    },
    store: async (endpoint, options = {}) => {
      const store = await openEtcdStore({ endpoints: [endpoint], prefix: 'test/', ...options })
      return own(store, () => store.close())
    },
    watch: (store, after, select = { prefix: '' }) => {
      const watch = new RecordingWatch(store, { after, select })
      return own(watch, () => watch.stop())
    },
  }
}

/** The client URL of a proxy. */
export function urlOf(proxy: FaultProxy): string {
  return `http://127.0.0.1:${proxy.port}`
}

/**
 * Follows a store as its users do: when the watch ends with a retryable error it watches again from its last revision. Remembers
 * what each call of `watch` delivered.
 */
export class RecordingWatch {
  readonly records: { after: StoreRevision; batches: WatchBatch[] }[] = []
  /** Codes of the errors that calls of `watch` ended with. */
  readonly endings: string[] = []
  readonly #abort = new AbortController()
  readonly #done: Promise<void>
  position: StoreRevision
  /** The error that ended it for good. */
  error: unknown

  constructor(store: RevisionedStore, request: { readonly after: StoreRevision; readonly select: KeySelector }) {
    this.position = request.after
    this.#done = this.#follow(store, request.select)
  }

  /** Every batch of every call in one. */
  get whole(): WatchRecord {
    return { after: this.records[0]?.after ?? 0n, batches: this.records.flatMap((record) => record.batches) }
  }

  /** Changes only, as `revision: key=value, -key`. */
  get changes(): string[] {
    return this.whole.batches
      .filter((batch) => batch.events.length > 0)
      .map((batch) => `${batch.storeRevision}: ${batch.events.map(shortForm).join(', ')}`)
  }

  async reaches(revision: StoreRevision, timeoutMs = 15_000): Promise<void> {
    await eventually(
      () => {
        if (this.error !== undefined) throw this.error
        expect(this.position).toBeGreaterThanOrEqual(revision)
      },
      { timeoutMs },
    )
  }

  /** Resolves with the code of the error that ended a call of `watch`; `nth` counts from 1. */
  async ending(nth = 1, timeoutMs = 15_000): Promise<string> {
    return await eventually(
      () => {
        const code = this.endings[nth - 1]
        if (code === undefined) throw new Error(`${this.endings.length} calls of watch have ended, not ${nth}`)
        return code
      },
      { timeoutMs },
    )
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#done
  }

  async #follow(store: RevisionedStore, select: KeySelector): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted && this.error === undefined) {
      const record = { after: this.position, batches: [] as WatchBatch[] }
      this.records.push(record)
      try {
        for await (const batch of store.watch({ select, after: this.position, signal })) {
          record.batches.push(batch)
          this.position = batch.storeRevision
        }
      } catch (error) {
        this.endings.push(isAppError(error) ? error.code : String(error))
        if (!isAppError(error) || !error.retryable) this.error = error
      }
    }
  }
}

/** Writes, and remembers what it wrote at which revision: what a watch of everything must deliver. */
export class RecordingWriter {
  readonly #store: RevisionedStore
  readonly #history = new Map<StoreRevision, readonly StoreEvent[]>()
  last: StoreRevision = 0n

  constructor(store: RevisionedStore) {
    this.#store = store
  }

  get history(): History {
    return this.#history
  }

  put(key: string, value: string): Promise<StoreRevision> {
    return this.write({ kind: 'put', key, value })
  }

  /** Deletes one key, which must be there. */
  delete(key: string): Promise<StoreRevision> {
    return this.write({ kind: 'delete', select: { key } })
  }

  async write(...mutations: Mutation[]): Promise<StoreRevision> {
    const { storeRevision } = await this.#store.transact({ compares: [], mutations })
    this.#history.set(
      storeRevision,
      mutations.map((mutation) => eventOf(mutation, storeRevision)),
    )
    if (storeRevision > this.last) this.last = storeRevision
    return storeRevision
  }
}

/** The code of the AppError that a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (isAppError(error)) return error.code
  throw new Error(`expected the call to be refused with an AppError, got ${String(error)}`)
}

function eventOf(mutation: Mutation, revision: StoreRevision): StoreEvent {
  if (mutation.kind === 'put') {
    const { key, value } = mutation
    return { kind: 'put', entry: { key, value, createRevision: revision, modRevision: revision, version: 1n } }
  }
  const key = 'key' in mutation.select ? mutation.select.key : mutation.select.prefix
  return { kind: 'delete', key, modRevision: revision }
}

function shortForm(event: StoreEvent): string {
  return event.kind === 'put' ? `${event.entry.key}=${event.entry.value}` : `-${event.key}`
}
