import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyedMutex, systemClock } from '@tributary/kit'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { buildApp } from '../app.js'
import { TOKEN_PREFIX } from '../domain/keys.js'
import { streamingRoutes } from '../http/routes/streaming-routes.js'
import { BoundedSchemaChecker } from '../schemas/bounded-schema-checker.js'
import { TokenRegistry, type StoredToken } from '../tokens/token-registry.js'
import { newToken } from '../tokens/token-text.js'
import { CatalogMirror } from '../watch/catalog-mirror.js'
import { ConvergenceTracker } from '../watch/convergence-tracker.js'
import { mutationsOf, type KeyWrite } from './random-world.test-support.js'
import type { StreamLimits } from '../watch/stream-hub-options.js'
import { StreamHub } from '../watch/stream-hub.js'

/** One replica of the config center on a real socket. */
export interface TestReplica {
  readonly url: string
  readonly mirror: CatalogMirror
  readonly hub: StreamHub
  readonly convergence: ConvergenceTracker
  close(): Promise<void>
}

/** A real store with any number of replicas on it. */
export class TestCluster {
  readonly store: RevisionedStore
  readonly #removeStore: () => Promise<void>
  readonly #replicas: TestReplica[] = []

  private constructor(store: RevisionedStore, removeStore: () => Promise<void>) {
    this.store = store
    this.#removeStore = removeStore
  }

  /** On a store of its own, on disk. */
  static async start(): Promise<TestCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'tributary-watch-'))
    const store = await openEmbeddedStore({ path: join(folder, 'store.db') })
    return new TestCluster(store, () => rm(folder, { recursive: true, force: true }))
  }

  /** On a store that is closed with it. */
  static on(store: RevisionedStore): TestCluster {
    return new TestCluster(store, () => Promise.resolve())
  }

  /** Writes at one revision, which it returns. */
  async write(...writes: KeyWrite[]): Promise<bigint> {
    return (await this.store.transact({ compares: [], mutations: mutationsOf(writes) })).storeRevision
  }

  /** Stores a token and returns it with its id. */
  async createToken(info: Pick<StoredToken, 'role' | 'tenant'>): Promise<{ token: string; tokenId: string }> {
    const { token, tokenId, secretHash } = newToken()
    const stored: StoredToken = { ...info, name: info.role, secretHash, createdAt: 0 }
    await this.write({ key: `${TOKEN_PREFIX}${tokenId}`, value: JSON.stringify(stored) })
    return { token, tokenId }
  }

  /** Starts a replica; `store` replaces the cluster's own, to put faults in between. */
  async replica(limits: Partial<StreamLimits> = {}, store: RevisionedStore = this.store): Promise<TestReplica> {
    const replica = await startReplica(store, limits)
    this.#replicas.push(replica)
    return replica
  }

  async stop(): Promise<void> {
    for (const replica of this.#replicas) await replica.close()
    await this.store.close()
    await this.#removeStore()
  }
}

async function startReplica(store: RevisionedStore, limits: Partial<StreamLimits>): Promise<TestReplica> {
  const stopping = new AbortController()
  const mirror = await CatalogMirror.start({
    store,
    signal: stopping.signal,
    retry: { initialMs: 5, maxMs: 20 },
  })
  const tokens = new TokenRegistry()
  mirror.addConsumer(tokens)
  const hub = new StreamHub({ mirror, isTokenLive: (tokenId) => tokens.find(tokenId) !== undefined, limits })
  tokens.onRevoked((tokenId) => hub.disconnectToken(tokenId))
  const convergence = new ConvergenceTracker(mirror, hub.book)
  const app = await buildApp({
    version: 'test',
    context: {
      store,
      live: mirror,
      tokens,
      clock: systemClock,
      schemas: new BoundedSchemaChecker(systemClock),
      turns: new KeyedMutex(),
    },
    convergence,
    moreRoutes: (typed) => streamingRoutes(typed, { live: mirror, hub, convergence }),
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, mirror, hub, convergence, close: () => closeReplica({ app, mirror }) }
}

async function closeReplica({ app, mirror }: { app: { close(): unknown }; mirror: CatalogMirror }): Promise<void> {
  await app.close()
  await mirror.stop()
}
