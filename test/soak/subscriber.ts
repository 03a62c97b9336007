import { get, type ClientRequest } from 'node:http'
import type { DeltaFrame, GoodbyeFrame, HelloFrame, SnapshotFrame } from '@tributary/contract'
import { hashItems } from '@tributary/contract/hash'
import { SseParser } from '@tributary/kit'

/** What a subscriber held after a frame that changed or confirmed it. */
export interface HeldState {
  readonly via: 'snapshot' | 'delta' | 'resumed'
  /** Of a delta: the revision that it builds on. */
  readonly from?: bigint
  readonly revision: bigint
  readonly hash: string
}

/** What must never happen. */
export interface Violations {
  missed: number
  duplicated: number
  outOfOrder: number
}

/** Who follows what; `pick` stands for the load balancer and names the origin to connect to. */
export interface SubscriberOptions {
  readonly tenant: string
  readonly token: string
  readonly pick: () => string
}

/** Until the server has named a window. */
const FIRST_WINDOW_MS = 500

/** Follows a tenant's view as the protocol says, and checks every frame; it comes back through any replica with what it has. */
export class SoakSubscriber {
  readonly violations: Violations = { missed: 0, duplicated: 0, outOfOrder: 0 }
  readonly states: HeldState[] = []
  readonly problems: string[] = []
  /** When it connected, each time: milliseconds of the monotonic clock. */
  readonly connectedAt: number[] = []
  refused = 0
  heartbeats = 0
  subscriptionId = ''
  readonly tenant: string
  readonly #options: SubscriberOptions
  #items = new Map<string, unknown>()
  #revision: bigint | undefined
  #request: ClientRequest | undefined
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #windowMs = FIRST_WINDOW_MS

  constructor(options: SubscriberOptions) {
    this.#options = options
    this.tenant = options.tenant
    this.#connect()
  }

  get connections(): number {
    return this.connectedAt.length
  }

  get revision(): bigint {
    return this.#revision ?? -1n
  }

  get hash(): string {
    return hashItems(this.#items)
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  #connect(): void {
    const query = new URLSearchParams()
    if (this.#revision !== undefined) {
      query.set('after', `${this.#revision}`)
      query.set('viewHash', this.hash)
    }
    const url = `${this.#options.pick()}/v1/tenants/${this.tenant}/stream?${query}`
    const request = get(url, { agent: false, headers: { authorization: `Bearer ${this.#options.token}` } })
    this.#request = request
    this.connectedAt.push(performance.now())
    request.once('response', (response) => {
      const parser = new SseParser()
      if (response.statusCode !== 200) this.refused += 1
      else response.on('data', (chunk: Buffer) => this.#takeAll(parser.push(chunk), request))
      response.on('error', () => undefined)
      response.resume()
    })
    request.on('error', () => undefined)
    request.once('close', () => this.#comeBack(request))
  }

  // Spread, as the server asks its clients to.
  #comeBack(request: ClientRequest): void {
    if (this.#stopped || this.#request !== request) return
    this.#timer = setTimeout(() => this.#connect(), Math.random() * this.#windowMs)
  }

  #takeAll(frames: ReturnType<SseParser['push']>, request: ClientRequest): void {
    for (const { event, data } of frames) {
      if (request.destroyed) return
      this.#take(event, JSON.parse(data))
    }
  }

  #take(event: string, data: unknown): void {
    if (event === 'hello') this.#hello(data as HelloFrame)
    else if (event === 'goodbye') this.#windowMs = (data as GoodbyeFrame).reconnectWindowMs
    else if (event === 'view.snapshot') this.#snapshot(data as SnapshotFrame)
    else if (event === 'view.delta') this.#delta(data as DeltaFrame)
    else if (event === 'view.resumed' || event === 'heartbeat') {
      const { storeRevision } = data as { storeRevision: string }
      if (event === 'heartbeat') this.heartbeats += 1
      this.#upTo(BigInt(storeRevision))
      if (event === 'view.resumed') this.#hold('resumed', BigInt(storeRevision), (data as SnapshotFrame).hash)
    }
  }

  #hello({ subscriptionId, storeRevision, reconnectWindowMs }: HelloFrame): void {
    this.subscriptionId = subscriptionId
    this.#windowMs = reconnectWindowMs
    if (BigInt(storeRevision) < this.revision) this.#blame('outOfOrder', `hello at ${storeRevision}`)
  }

  #snapshot({ storeRevision, hash, items }: SnapshotFrame): void {
    this.#upTo(BigInt(storeRevision))
    this.#items = new Map(items.map(({ key, value }) => [key, value]))
    this.#hold('snapshot', BigInt(storeRevision), hash)
  }

  #delta({ from, to, hash, changes }: DeltaFrame): void {
    if (BigInt(to) <= this.revision) this.#blame('duplicated', `delta to ${to}`)
    if (BigInt(from) > this.revision) this.#blame('missed', `delta from ${from}`)
    for (const { key, value } of changes) {
      if (value === null) this.#items.delete(key)
      else this.#items.set(key, value)
    }
    this.#hold('delta', BigInt(to), hash, BigInt(from))
  }

  #hold(via: HeldState['via'], revision: bigint, hash: string, from?: bigint): void {
    this.#revision = revision
    if (this.hash !== hash) this.#blame('missed', `the hash after a ${via} differs`)
    this.states.push({ via, ...(from === undefined ? {} : { from }), revision, hash: this.hash })
  }

  #upTo(revision: bigint): void {
    if (revision < this.revision) this.#blame('outOfOrder', `a frame at ${revision}`)
    if (this.#revision !== undefined) this.#revision = revision
  }

  #blame(kind: keyof Violations, what: string): void {
    this.violations[kind] += 1
    this.problems.push(`${this.tenant} at ${this.revision}: ${kind}: ${what}`)
  }
}
