import { canonicalJson, type ChangeEvent, type Topology } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { EventHub } from './event-hub.js'

/** What the feeds work with. */
export interface TopologyFeedsOptions {
  readonly hub: Pick<EventHub, 'listen'>
  readonly clock: Clock
  readonly read: (environment: string) => Promise<Topology>
  /** How often observed calls are looked at while somebody follows: they are counted without a write. Default 5,000. */
  readonly callsMs?: number
}

const CALLS_MS = 5_000
/** Changes that come together, as those of a deploy, are one picture. */
const SETTLE_MS = 50

/** Topologies that somebody follows. Each is worked out once for all its followers, when something that it shows has changed. */
export class TopologyFeeds {
  readonly #feeds = new Map<string, TopologyFeed>()

  constructor(private readonly options: TopologyFeedsOptions) {}

  /** Topologies that are followed at present. */
  get size(): number {
    return this.#feeds.size
  }

  /** The topology as it is, then at each change, until the signal aborts. A slow follower skips to the newest. */
  async *follow(environment: string, signal: AbortSignal): AsyncIterable<Topology> {
    const feed = this.#feeds.get(environment) ?? new TopologyFeed(environment, this.options)
    this.#feeds.set(environment, feed)
    feed.followers += 1
    try {
      for (let sent = 0; ;) {
        const { picture } = await feed.newerThan(sent, signal)
        if (picture === undefined) return
        sent = picture.version
        yield picture.topology
      }
    } finally {
      feed.followers -= 1
      if (feed.followers === 0) {
        feed.stop()
        this.#feeds.delete(environment)
      }
    }
  }
}

interface Picture {
  readonly topology: Topology
  /** Without the revision, which moves with changes that the picture does not show. */
  readonly text: string
  readonly version: number
}

class TopologyFeed {
  followers = 0
  #picture: Picture | undefined
  #error: unknown
  readonly #waiting = new Set<() => void>()
  readonly #stopping = new AbortController()
  readonly #stopListening: () => void
  #wake = (): void => undefined
  #stale = true

  constructor(
    private readonly environment: string,
    private readonly options: TopologyFeedsOptions,
  ) {
    this.#stopListening = options.hub.listen((event) => {
      if (this.#concerns(event)) this.#markStale()
    })
    void this.#run()
  }

  /** Resolves once there is a newer picture than `version`; without one when the signal aborts. Rejects as reading does. */
  async newerThan(version: number, signal: AbortSignal): Promise<{ readonly picture: Picture | undefined }> {
    for (;;) {
      if (signal.aborted) return { picture: undefined }
      if (this.#error !== undefined) throw this.#error
      if (this.#picture !== undefined && this.#picture.version > version) return { picture: this.#picture }
      await this.#next(signal)
    }
  }

  stop(): void {
    this.#stopListening()
    this.#stopping.abort()
    this.#wake()
  }

  async #run(): Promise<void> {
    const { clock, read, callsMs = CALLS_MS } = this.options
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#stale = false
      try {
        this.#show(await read(this.environment))
      } catch (error) {
        this.#fail(error)
        return
      }
      await this.#untilStale(callsMs)
      await clock.sleep(SETTLE_MS, signal).catch(() => undefined)
    }
  }

  /** The followers end with the error; the next one begins anew. */
  #fail(error: unknown): void {
    this.#error = error
    this.#tell()
  }

  #show(topology: Topology): void {
    const { storeRevision: _, ...seen } = topology
    const text = canonicalJson(seen)
    if (text === this.#picture?.text) return
    this.#picture = { topology, text, version: (this.#picture?.version ?? 0) + 1 }
    this.#tell()
  }

  #tell(): void {
    for (const wake of this.#waiting) wake()
  }

  #markStale(): void {
    this.#stale = true
    this.#wake()
  }

  async #untilStale(timeoutMs: number): Promise<void> {
    if (this.#stale) return
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await this.options.clock.sleep(timeoutMs, woken.signal).catch(() => undefined)
    this.#wake = () => undefined
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  /** It shows what its chain has; until that is known, everything may matter. */
  #concerns(event: ChangeEvent | undefined): boolean {
    if (event === undefined) return true
    if (event.kind !== 'environment' && event.kind !== 'config') return false
    const chain = this.#picture?.topology.chain ?? []
    return event.name === this.environment || chain.length === 0 || chain.includes(event.name)
  }
}
