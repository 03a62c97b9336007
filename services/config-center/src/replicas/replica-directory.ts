import type { WatchBatch } from '@tributary/store'
import { REPLICA_PREFIX, REPLICA_SECRET_KEY } from '../domain/keys.js'
import type { MirrorConsumer } from '../watch/catalog-mirror.js'

/** Another replica, and where it is reached. */
export interface Peer {
  readonly replicaId: string
  /** Origin, e.g. `http://10.0.0.2:7400`. */
  readonly url: string
}

/** The replicas that are registered in the store, as the mirror shows it. One that died stays until its lease has ended. */
export class ReplicaDirectory implements MirrorConsumer {
  readonly #ownId: string
  readonly #peers = new Map<string, Peer>()
  #secret: string | undefined

  constructor(ownId: string) {
    this.#ownId = ownId
  }

  /** All but this replica. */
  get peers(): readonly Peer[] {
    return [...this.#peers.values()]
  }

  /** What replicas prove themselves with; undefined before the first one has registered. */
  get secret(): string | undefined {
    return this.#secret
  }

  find(replicaId: string): Peer | undefined {
    return this.#peers.get(replicaId)
  }

  applyBatch({ events }: WatchBatch): void {
    for (const event of events) {
      if (event.kind === 'put') this.#put(event.entry.key, event.entry.value)
      else if (event.key.startsWith(REPLICA_PREFIX)) this.#peers.delete(event.key.slice(REPLICA_PREFIX.length))
    }
  }

  #put(key: string, value: string): void {
    if (key === REPLICA_SECRET_KEY) this.#secret = value
    if (!key.startsWith(REPLICA_PREFIX)) return
    const replicaId = key.slice(REPLICA_PREFIX.length)
    if (replicaId !== this.#ownId) this.#peers.set(replicaId, { replicaId, url: value })
  }
}
