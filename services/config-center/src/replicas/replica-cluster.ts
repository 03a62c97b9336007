import type { ObservedLeak, Subscription } from '@tributary/contract'
import { isAppError, type Clock } from '@tributary/kit'
import type { LeasedEntry, RevisionedStore } from '@tributary/store'
import type { ReplicaCalls } from '../calls/replica-calls.js'
import type { CallsElsewhere, FromOthers } from '../ports/calls-elsewhere.js'
import type { ConvergenceWatcher } from '../ports/convergence.js'
import type { CatalogMirror } from '../watch/catalog-mirror.js'
import { ClusterConvergence } from './cluster-convergence.js'
import { ReplicaClient } from './replica-client.js'
import type { ReplicaReport } from './replica-report.js'
import { ReplicaDirectory, type Peer } from './replica-directory.js'
import { registerReplica } from './register-replica.js'

/** What a replica among others needs. */
export interface ReplicaClusterOptions {
  readonly store: RevisionedStore
  readonly mirror: CatalogMirror
  readonly clock: Clock
  readonly replicaId: string
  /** Of this replica's own subscribers. */
  readonly own: ConvergenceWatcher
}

/** This replica and the others on the same store (docs/adr/0013). */
export class ReplicaCluster implements CallsElsewhere {
  readonly directory: ReplicaDirectory
  readonly client: ReplicaClient
  readonly convergence: ConvergenceWatcher
  /** Settles when this replica is registered: before that it serves nobody, for nobody would ask it about its subscribers. */
  readonly joined: Promise<void>
  readonly #options: ReplicaClusterOptions
  #onJoined: (joining: Promise<void>) => void = () => undefined
  #registration: LeasedEntry | undefined
  #url: string | null = null

  constructor(options: ReplicaClusterOptions) {
    const { mirror, own, clock, replicaId } = options
    this.#options = options
    this.directory = new ReplicaDirectory(replicaId)
    this.client = new ReplicaClient(this.directory)
    this.convergence = new ClusterConvergence({ own, directory: this.directory, client: this.client, clock })
    this.joined = new Promise((resolve) => (this.#onJoined = resolve))
    // Whoever asks meanwhile is refused with the reason; without anybody it must not end the process.
    this.joined.catch(() => undefined)
    mirror.addConsumer(this.directory)
  }

  /** Where others reach this replica; null before it has joined them. */
  get url(): string | null {
    return this.#url
  }

  /** Registers this replica under the address where others reach it. Rejects as the store does. */
  async join(url: string): Promise<void> {
    this.#url = url
    const joining = this.#register(url)
    this.#onJoined(joining)
    await joining
  }

  /** Takes this replica out of the directory. */
  async leave(): Promise<void> {
    await this.#registration?.stop()
  }

  /**
   * The live streams of all other replicas, of one tenant or of all.
   * @throws AppError `REPLICA_UNREACHABLE`: some would be missing.
   */
  async subscriptionsElsewhere(tenant: string | undefined): Promise<readonly Subscription[]> {
    const lists = this.directory.peers.map((peer) => this.client.subscriptions(peer, tenant))
    return (await Promise.all(lists)).flat()
  }

  /** What each of the others says of itself; undefined for one that does not answer. */
  async reports(): Promise<readonly (Peer & { readonly report: ReplicaReport | undefined })[]> {
    return Promise.all(this.directory.peers.map(async (peer) => ({ ...peer, report: await this.#reportOf(peer) })))
  }

  calls(tenant: string): Promise<FromOthers<ReplicaCalls>> {
    return this.#askAll((peer) => this.client.calls(peer, tenant))
  }

  leaks(maxAgeMs: number): Promise<FromOthers<readonly ObservedLeak[]>> {
    return this.#askAll((peer) => this.client.leaks(peer, maxAgeMs))
  }

  async #reportOf(peer: Peer): Promise<ReplicaReport | undefined> {
    try {
      return await this.client.report(peer)
    } catch (error) {
      if (isAppError(error, 'REPLICA_UNREACHABLE')) return undefined
      throw error
    }
  }

  async #askAll<T>(ask: (peer: Peer) => Promise<T>): Promise<FromOthers<T>> {
    const settled = await Promise.allSettled(this.directory.peers.map(ask))
    const answers: T[] = []
    for (const one of settled) {
      if (one.status === 'fulfilled') answers.push(one.value)
      else if (!isAppError(one.reason, 'REPLICA_UNREACHABLE')) throw one.reason
    }
    return { answers, unanswered: settled.length - answers.length }
  }

  async #register(url: string): Promise<void> {
    const { store, clock, replicaId, mirror } = this.#options
    this.#registration = await registerReplica({ store, clock, replicaId, url })
    // From here on this replica knows the secret and whoever registered before it.
    await mirror.waitFor(this.#registration.revision, { signal: AbortSignal.timeout(JOIN_MS) })
  }
}

const JOIN_MS = 10_000
