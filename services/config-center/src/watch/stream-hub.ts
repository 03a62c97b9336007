import { randomUUID } from 'node:crypto'
import type { GoodbyeReason } from '@tributary/contract'
import { systemClock, type Clock } from '@tributary/kit'
import type { StoreRevision } from '@tributary/store'
import type { CatalogChange } from '../domain/catalog.js'
import type { ViewFollower } from '../domain/gray-release.js'
import { failure } from '../errors.js'
import type { BatchOrigin, CatalogMirror } from './catalog-mirror.js'
import type { CatchUp, ChannelCursor } from './channel.js'
import { DeltaBudget } from './delta-log.js'
import type { FrameConnection } from './frame-connection.js'
import { Frame } from './frame.js'
import { GrayGroups } from './gray-groups.js'
import { impactOf, type Impact } from '../domain/view-impact.js'
import { ItemSource } from './item-source.js'
import { Outbox } from './outbox.js'
import { ReconnectWindow } from './reconnect-window.js'
import {
  DEFAULT_LIMITS,
  type StreamHubOptions,
  type StreamLimits,
  type StreamObserver,
  type SubscribeRequest,
} from './stream-hub-options.js'
import { Subscriber } from './subscriber.js'
import { subscriptionIdOf } from './subscription-id.js'
import { SubscriptionBook } from './subscription-book.js'
import type { TableChannel } from './table-channel.js'
import { TableRegistry } from './table-registry.js'
import type { ViewChannel } from './view-channel.js'
import { ViewRegistry } from './view-registry.js'

const NO_CURSOR: ChannelCursor = { after: undefined, hash: undefined }

/**
 * The replica's fan-out: follows the mirror, keeps views and tables, and writes their frames to subscribers. A subscriber is
 * registered and gets its first frames in one synchronous step, so it misses nothing and gets nothing twice.
 */
export class StreamHub {
  readonly serverId = randomUUID()
  #subscriptions = 0
  /** Of revisions before it, some were never seen one by one. */
  #listedAt: StoreRevision = 0n
  readonly book = new SubscriptionBook()
  readonly views: ViewRegistry
  readonly tables: TableRegistry
  readonly #mirror: CatalogMirror
  readonly #isTokenLive: (tokenId: string) => boolean
  readonly #clock: Clock
  readonly #limits: StreamLimits
  readonly #observer: StreamObserver | undefined
  readonly #gray: GrayGroups
  readonly #outbox = new Outbox()
  readonly #window = new ReconnectWindow()
  /** Told goodbye, but still connected. The value says whether a heartbeat has passed since. */
  readonly #ending = new Map<Subscriber, boolean>()
  readonly #stopping = new AbortController()
  readonly #stopFollowing: () => void
  #onEmpty: () => void = () => undefined
  #closed: Promise<void> | undefined

  constructor(options: StreamHubOptions) {
    this.#mirror = options.mirror
    this.#isTokenLive = options.isTokenLive
    this.#clock = options.clock ?? systemClock
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits }
    this.#observer = options.observer
    const { catalog } = options.mirror
    const shared = {
      catalog,
      source: new ItemSource(catalog),
      budget: new DeltaBudget(this.#limits.history, (delta) => this.#observer?.noteDelta(delta.frame.byteLength)),
      maxIdle: this.#limits.maxIdleChannels,
    }
    this.views = new ViewRegistry(shared)
    this.tables = new TableRegistry(shared)
    this.#gray = new GrayGroups({ catalog, views: this.views, book: this.book })
    this.#stopFollowing = options.mirror.onChanges((...batch) => this.#take(...batch))
    void this.#beatForever()
  }

  /** Sockets that are told goodbye but not closed yet are counted: they still cost memory. */
  get connectionCount(): number {
    return this.book.size + this.#ending.size
  }

  /** The window in which clients are asked to reconnect, milliseconds. */
  get reconnectWindowMs(): number {
    return this.#window.ms
  }

  /**
   * Registers a subscriber and queues its first frames. Call {@link leave} when its connection has closed.
   * @throws AppError `TENANT_NOT_FOUND`, `UNAUTHENTICATED` (the token has just been revoked), `TOO_MANY_SUBSCRIBERS`, `NOT_READY` (draining)
   */
  subscribe(request: SubscribeRequest, connection: FrameConnection): Subscriber {
    this.#admit(request)
    const { tenant, channels } = request
    const table = channels.has('routes') ? this.tables.find(tenant) : undefined
    const view = channels.has('view') ? this.#gray.viewFor(request) : undefined
    if (table === undefined && view === undefined) throw unknownTenant(tenant)
    const subscriber = this.#createSubscriber(request, connection)
    // The table goes first, so that a client can resolve for everyone by the time it has its view.
    const { after } = request
    const routes = table && this.#joinTable(subscriber, table, this.#usable({ after, hash: request.routesHash }))
    const items = view && this.#joinView(subscriber, view, this.#usable(this.#gray.cursorOf(request)))
    const caughtUp = [routes, items].filter((part) => part !== undefined)
    const frames = caughtUp.flatMap((part) => part.frames)
    subscriber.start([this.#hello(subscriber), ...frames], this.#appliedRevision(request, caughtUp))
    this.book.add(subscriber)
    this.#window.observe(this.book.size)
    return subscriber
  }

  /** The view that a follower has now: that of a gray release when it is in one. Release it as one of `views.find`. */
  viewFor(follower: ViewFollower): ViewChannel | undefined {
    return this.#gray.viewFor(follower)
  }

  /** Forgets a subscriber whose connection has closed. Idempotent. */
  leave(subscriber: Subscriber): void {
    this.#detach(subscriber)
    this.#ending.delete(subscriber)
    if (this.connectionCount === 0) this.#onEmpty()
  }

  /** Ends the streams of a token that is worth nothing any more. A tenant's tokens go with it; the reason is then the tenant. */
  disconnectToken(tokenId: string, reason: 'token_revoked' | 'token_expired' = 'token_revoked'): void {
    for (const subscriber of this.book.all()) {
      if (subscriber.tokenId !== tokenId) continue
      const tenantExists = this.#mirror.catalog.tenant(subscriber.tenant) !== undefined
      subscriber.end(tenantExists ? reason : 'tenant_deleted')
    }
  }

  /**
   * Sends one heartbeat to everyone. Says goodbye to those that take nothing any more, and cuts those that were told goodbye before the
   * last one and are still there.
   */
  beat(): void {
    for (const [subscriber, waited] of this.#ending) {
      if (waited) subscriber.destroy()
      else this.#ending.set(subscriber, true)
    }
    const { storeRevision } = this.#mirror.catalog
    const frame = Frame.of('heartbeat', { storeRevision: `${storeRevision}` }, storeRevision)
    for (const subscriber of this.book.all()) {
      if (subscriber.kind === 'poll') continue
      subscriber.checkProgress()
      subscriber.onFrame(frame)
    }
  }

  /** Takes no more subscribers, says goodbye to all, and resolves when they have gone or were cut after `graceMs`. Idempotent. */
  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#drain(graceMs)
    return this.#closed
  }

  async #drain(graceMs: number): Promise<void> {
    this.#stopFollowing()
    this.#stopping.abort()
    for (const subscriber of this.book.all()) subscriber.end('draining')
    const timer = setTimeout(() => this.#cutEnding(), graceMs)
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve
      if (this.connectionCount === 0) resolve()
    })
    clearTimeout(timer)
  }

  #cutEnding(): void {
    for (const subscriber of this.#ending.keys()) subscriber.destroy()
  }

  #take(changes: readonly CatalogChange[], revision: StoreRevision, origin: BatchOrigin): void {
    if (origin === 'listing') {
      this.#listedAt = revision
      this.#gray.forget(revision)
    }
    if (changes.length > 0) this.#apply(changes, revision)
  }

  #apply(changes: readonly CatalogChange[], revision: StoreRevision): void {
    const impact = impactOf(this.#mirror.catalog, changes)
    for (const tenant of impact.gone) for (const peer of this.book.ofTenant(tenant)) peer.end('tenant_deleted')
    const moved = this.#leaveTables(impact)
    const regrouped = this.#gray.take(changes, revision)
    for (const subscriber of regrouped) this.#leaveView(subscriber)
    this.tables.apply(impact, changes, revision)
    for (const subscriber of moved) this.#enterTable(subscriber)
    this.views.apply(impact, revision)
    for (const subscriber of regrouped) this.#enterView(subscriber, revision)
  }

  /** Takes subscribers whose tenant has another root now off their table. */
  #leaveTables(impact: Impact): Subscriber[] {
    if (impact.restructured.size === 0) return []
    const peers = [...impact.restructured].flatMap((tenant) => this.book.ofTenant(tenant))
    const moved = peers.filter(({ table, tenant }) => table !== undefined && table.root !== this.tables.rootOf(tenant))
    for (const subscriber of moved) this.#leaveTable(subscriber)
    return moved
  }

  #leaveView(subscriber: Subscriber): void {
    const { view } = subscriber
    if (view === undefined) return
    subscriber.view = undefined
    view.removeListener(subscriber)
    this.views.release(view)
  }

  /** Gives a subscriber the view that is its own from `revision` on, whole: what it had before was another one. */
  #enterView(subscriber: Subscriber, revision: StoreRevision): void {
    const view = this.#gray.viewFor(subscriber)
    if (view === undefined) return
    subscriber.movedAt = revision
    subscriber.replace(this.#joinView(subscriber, view, NO_CURSOR).frames)
  }

  #enterTable(subscriber: Subscriber): void {
    const table = this.tables.find(subscriber.tenant)
    if (table === undefined) return
    subscriber.replace(this.#joinTable(subscriber, table, NO_CURSOR).frames)
  }

  #admit(request: SubscribeRequest): void {
    if (this.#stopping.signal.aborted)
      throw failure('NOT_READY', 'This replica is shutting down; reconnect to another.')
    if (!this.#isTokenLive(request.tokenId)) {
      throw failure('UNAUTHENTICATED', 'The token was revoked while the stream was being opened; ask for a new one.')
    }
    if (this.connectionCount >= this.#limits.maxSubscribers) {
      const message = `This replica has ${this.connectionCount} subscribers, its limit; try again later or add a replica.`
      throw failure('TOO_MANY_SUBSCRIBERS', message)
    }
  }

  #createSubscriber(request: SubscribeRequest, connection: FrameConnection): Subscriber {
    this.#subscriptions += 1
    return new Subscriber({
      id: subscriptionIdOf(this.serverId, this.#subscriptions),
      kind: request.kind,
      tenant: request.tenant,
      service: request.service,
      instance: request.instance,
      tokenId: request.tokenId,
      connectedAt: this.#clock.now(),
      connection,
      outbox: this.#outbox,
      maxUnsentBytes: this.#limits.maxUnsentBytes,
      goodbye: (reason) => {
        this.#observer?.noteEnded(reason)
        return this.#goodbye(reason)
      },
      onEnding: (subscriber) => {
        this.#detach(subscriber)
        this.#ending.set(subscriber, false)
      },
    })
  }

  #joinView(subscriber: Subscriber, view: ViewChannel, cursor: ChannelCursor): CatchUp {
    subscriber.view = view
    view.addListener(subscriber)
    return view.catchUp(cursor, this.#mirror.catalog.storeRevision)
  }

  #joinTable(subscriber: Subscriber, table: TableChannel, cursor: ChannelCursor): CatchUp {
    subscriber.table = table
    table.addListener(subscriber)
    return table.catchUpTenant(subscriber.tenant, cursor, this.#mirror.catalog.storeRevision)
  }

  /** Between what was known and a listing, another replica may have shown a client what is in neither of them: only a hash tells. */
  #usable(cursor: ChannelCursor): ChannelCursor {
    const { after, hash } = cursor
    return hash === undefined && after !== undefined && after < this.#listedAt ? NO_CURSOR : cursor
  }

  /** What a resuming subscriber has applied already: everything, when nothing was missing. */
  #appliedRevision({ after = 0n }: SubscribeRequest, caughtUp: readonly CatchUp[]): StoreRevision {
    const { storeRevision } = this.#mirror.catalog
    if (caughtUp.every((part) => part.current)) return storeRevision
    return after <= storeRevision ? after : 0n
  }

  #detach(subscriber: Subscriber): void {
    if (!this.book.remove(subscriber)) return
    this.#leaveTable(subscriber)
    this.#leaveView(subscriber)
  }

  #leaveTable(subscriber: Subscriber): void {
    const { table } = subscriber
    if (table === undefined) return
    subscriber.table = undefined
    table.removeListener(subscriber)
    this.tables.release(table)
  }

  #hello(subscriber: Subscriber): Frame {
    return Frame.of('hello', {
      subscriptionId: subscriber.id,
      serverId: this.serverId,
      storeRevision: `${this.#mirror.catalog.storeRevision}`,
      heartbeatMs: this.#limits.heartbeatMs,
      reconnectWindowMs: this.#window.ms,
    })
  }

  #goodbye(reason: GoodbyeReason): Frame {
    return Frame.of('goodbye', { reason, reconnectWindowMs: this.#window.ms })
  }

  async #beatForever(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#clock.sleep(this.#limits.heartbeatMs, signal).catch(() => undefined)
      if (!signal.aborted) this.beat()
    }
  }
}

function unknownTenant(tenant: string): Error {
  return failure('TENANT_NOT_FOUND', `Tenant ${tenant} does not exist; create it, or check its name.`)
}
