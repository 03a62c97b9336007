import { hashItems } from '@tributary/contract/hash'
import type { RevisionedStore, WatchBatch } from '@tributary/store'
import { Catalog } from '../domain/catalog.js'
import { isInGray } from '../domain/gray-release.js'
import { grayViewItems, routeItems, viewItems } from '../domain/items.js'
import { STORE_PREFIX } from '../domain/keys.js'
import { chainOf } from '../domain/resolve.js'
import type { ModelState } from './channel-model.test-support.js'

/** A channel as the pure functions see it: its hash from each revision on; `gone` while its tenant does not exist. */
export interface Timeline {
  at(revision: bigint): string
}

const GONE = 'gone'

/** Says what each view and table was at each revision, from the store's history and the pure functions alone. */
export class ViewOracle {
  readonly #batches: readonly WatchBatch[]

  private constructor(batches: readonly WatchBatch[]) {
    this.#batches = batches
  }

  /** Reads the whole history. */
  static async read(store: RevisionedStore): Promise<ViewOracle> {
    const last = await store.currentRevision()
    const stop = new AbortController()
    const batches: WatchBatch[] = []
    for await (const batch of store.watch({ select: { prefix: STORE_PREFIX }, after: 0n, signal: stop.signal })) {
      batches.push(batch)
      if (batch.storeRevision >= last) stop.abort()
    }
    return new ViewOracle(batches)
  }

  /** With an `instance`, as it is in gray releases; else as all others are. */
  view(tenant: string, service: string | null, instance = ''): Timeline {
    return this.#timeline((catalog) => {
      if (catalog.tenant(tenant) === undefined) return GONE
      const isGray = service !== null && isInGray(catalog, { tenant, service, instance })
      return hashItems(isGray ? grayViewItems(catalog, tenant, service) : viewItems(catalog, tenant, service))
    })
  }

  /** The table of whatever tree the tenant is in at the time. */
  routes(tenant: string): Timeline {
    return this.#timeline((catalog) => {
      const root = chainOf(catalog, tenant).at(-1)
      return root === undefined ? GONE : hashItems(routeItems(catalog, root))
    })
  }

  #timeline(hashOf: (catalog: Catalog) => string): Timeline {
    const catalog = new Catalog()
    const hashes: string[] = [GONE]
    for (const batch of this.#batches) {
      catalog.applyBatch(batch)
      hashes[Number(batch.storeRevision)] = hashOf(catalog)
    }
    return { at: (revision) => hashes.slice(0, Number(revision) + 1).findLast((hash) => hash !== undefined) ?? GONE }
  }
}

/**
 * Every way in which a client's course contradicts the oracle: a state that was not the channel's at that revision, or a delta
 * that builds on a state that the client did not have.
 */
export function contradictions(states: readonly ModelState[], timeline: Timeline): string[] {
  let wholeAt = -1n
  return states.flatMap(({ from, via, revision, hash }, index) => {
    if (via === 'snapshot' || via === 'resumed') wholeAt = revision
    const before = states[index - 1]
    const wrong = timeline.at(revision) !== hash ? [`at ${revision} (${via}) it was not what the store says`] : []
    if (from === undefined || before === undefined) return wrong
    // A client that comes to a channel later is told so whole; what it had when that channel last changed was another one's.
    const base = timeline.at(from < wholeAt ? wholeAt : from)
    return base === before.hash ? wrong : [...wrong, `a change between ${before.revision} and ${revision} is missing`]
  })
}
