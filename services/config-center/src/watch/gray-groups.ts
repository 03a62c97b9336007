import type { StoreRevision } from '@tributary/store'
import type { CatalogChange, CatalogReader } from '../domain/catalog.js'
import { isInGray, type ViewFollower } from '../domain/gray-release.js'
import type { ChannelCursor } from './channel.js'
import type { SubscribeRequest } from './stream-hub-options.js'
import type { Subscriber } from './subscriber.js'
import type { SubscriptionBook } from './subscription-book.js'
import type { ViewChannel } from './view-channel.js'
import type { ViewRegistry } from './view-registry.js'

/** What the groups are made of. */
export interface GrayGroupsOptions {
  readonly catalog: CatalogReader
  readonly views: ViewRegistry
  readonly book: SubscriptionBook
}

/** Releases whose last change is remembered, when they are no more. */
const MAX_ENDED = 10_000

/**
 * Which of a service's subscribers follow the view of a gray release, and which the one of all others (docs/adr/0017). Both are views of
 * their own; a subscriber that comes to another group leaves one and gets the other whole.
 */
export class GrayGroups {
  readonly #catalog: CatalogReader
  readonly #views: ViewRegistry
  readonly #book: SubscriptionBook
  /** When a release last changed, by `tenant/service`, oldest first. */
  readonly #changedAt = new Map<string, StoreRevision>()
  /** No release that is not remembered changed after it. */
  #forgottenAt: StoreRevision = 0n

  constructor({ catalog, views, book }: GrayGroupsOptions) {
    this.#catalog = catalog
    this.#views = views
    this.#book = book
  }

  /** The view that is the follower's now; undefined for an unknown tenant. Release it as one of `ViewRegistry.find`. */
  viewFor(follower: ViewFollower): ViewChannel | undefined {
    const { tenant, service } = follower
    const isGray = service !== null && isInGray(this.#catalog, follower)
    return isGray ? this.#views.findGray(tenant, service) : this.#views.find(tenant, service)
  }

  /**
   * From where a client can be brought up to date. A revision counts only when the client surely followed then what it follows now. Else
   * nothing but its hash does, and that against the view as it is: in the history of this view the same hash may be that of a revision at
   * which the client had something else, and it would take a change since for one that it has.
   */
  cursorOf({ tenant, service, after, viewHash }: SubscribeRequest): ChannelCursor {
    if (after === undefined || service === null) return { after, hash: viewHash }
    const changedAt = this.#changedAt.get(`${tenant}/${service}`) ?? this.#forgottenAt
    // While a release is under way, the client may have come under another name than before.
    const isSure = after >= changedAt && this.#catalog.gray(tenant, service) === undefined
    return { after: isSure ? after : undefined, hash: viewHash }
  }

  /** Notes the changes of one revision. Returns the subscribers that are in another group now than the view they follow is of. */
  take(changes: readonly CatalogChange[], revision: StoreRevision): Subscriber[] {
    const moved: Subscriber[] = []
    for (const change of changes) {
      if (change.kind !== 'gray') continue
      this.#note(`${change.tenant}/${change.service}`, revision)
      for (const subscriber of this.#book.ofTenant(change.tenant)) {
        const { service, view } = subscriber
        if (service === change.service && view !== undefined && view.gray !== isInGray(this.#catalog, subscriber)) {
          moved.push(subscriber)
        }
      }
    }
    return moved
  }

  /** Any release may have changed up to `revision`. */
  forget(revision: StoreRevision): void {
    this.#changedAt.clear()
    this.#forgottenAt = revision
  }

  #note(name: string, revision: StoreRevision): void {
    this.#changedAt.delete(name)
    this.#changedAt.set(name, revision)
    for (const [oldest, changedAt] of this.#changedAt) {
      if (this.#changedAt.size <= MAX_ENDED) return
      this.#changedAt.delete(oldest)
      this.#forgottenAt = changedAt
    }
  }
}
