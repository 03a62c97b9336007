import { backoffMs } from '@tributary/kit'
import PQueue from 'p-queue'

/**
 * What a reconcile says when it is done: nothing more, or "look again in so many milliseconds". Waiting is not an error. Zero is for what has a next
 * step already: the key is marked before its look ends, so that {@link KeyedLoop.idle} waits for that step too.
 */
export interface ReconcileResult {
  readonly requeueAfterMs?: number
}

/** How a loop works. */
export interface KeyedLoopOptions {
  /** Keys that are reconciled at a time. */
  readonly concurrency: number
  /** Level-based: it looks at what is, never at why it was called. */
  readonly reconcile: (key: string) => Promise<ReconcileResult>
  /** Told of each failure, before the key is put off. */
  readonly onError: (key: string, error: unknown, retryInMs: number) => void
  /** Bounds of the backoff after failures, in milliseconds. Default 500 to 60,000. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number }
  /** Told when what is queued or running changes. Must not throw. */
  readonly onChange?: () => void
  /** Uniform in [0, 1). Default `Math.random`. */
  readonly random?: () => number
}

const DEFAULT_BACKOFF = { initialMs: 500, maxMs: 60_000 }

/**
 * Reconciles keys: each at most once at a time, again when it was marked meanwhile, with exponential backoff after a failure;
 * one key's failure never stops another's. The queue is visible.
 */
export class KeyedLoop {
  readonly #queue: PQueue
  readonly #queued = new Set<string>()
  readonly #running = new Set<string>()
  readonly #again = new Set<string>()
  readonly #timers = new Map<string, { readonly timer: NodeJS.Timeout; readonly at: number }>()
  readonly #failures = new Map<string, number>()
  #stopped = false

  constructor(private readonly options: KeyedLoopOptions) {
    this.#queue = new PQueue({ concurrency: options.concurrency })
  }

  /** Looks at the key soon: now when there is room, after the present look when it is being looked at. Coalesces. */
  mark(key: string): void {
    if (this.#stopped) return
    this.#clearTimer(key)
    if (this.#running.has(key)) this.#again.add(key)
    else if (!this.#queued.has(key)) this.#enqueue(key)
  }

  /** Marks the key in `ms` milliseconds, unless it is marked before. An earlier timer of the key stays. */
  markAfter(key: string, ms: number): void {
    if (this.#stopped) return
    const at = performance.now() + ms
    const present = this.#timers.get(key)
    if (present !== undefined && present.at <= at) return
    this.#clearTimer(key)
    this.#timers.set(key, { at, timer: setTimeout(() => this.mark(key), ms).unref() })
  }

  /** Forgets earlier failures of a key, and marks it: somebody changed something. */
  reset(key: string): void {
    this.#failures.delete(key)
    this.mark(key)
  }

  /**
   * Does work that only waits, as a part of a look: another key has the look's room meanwhile. When the work is done the look goes on at once, beside whatever
   * is looked at then, so that for the rest of it one more than `concurrency` may be. For short ends of looks alone.
   */
  async aside<T>(work: () => Promise<T>): Promise<T> {
    this.#queue.concurrency += 1
    try {
      return await work()
    } finally {
      this.#queue.concurrency -= 1
    }
  }

  /** Keys that wait for room, in order. */
  queued(): readonly string[] {
    return [...this.#queued]
  }

  /** Keys that are being reconciled. */
  running(): readonly string[] {
    return [...this.#running]
  }

  /** Resolves when nothing is queued or running; keys that wait for their time do not count. */
  async idle(): Promise<void> {
    await this.#queue.onIdle()
  }

  /** Takes nothing new and resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const key of this.#timers.keys()) this.#clearTimer(key)
    this.#queue.clear()
    this.#queued.clear()
    await this.#queue.onIdle()
  }

  #enqueue(key: string): void {
    this.#queued.add(key)
    this.options.onChange?.()
    void this.#queue.add(async () => {
      this.#queued.delete(key)
      this.#running.add(key)
      this.options.onChange?.()
      await this.#look(key)
      this.#running.delete(key)
      this.options.onChange?.()
      if (this.#again.delete(key)) this.mark(key)
    })
  }

  async #look(key: string): Promise<void> {
    try {
      const { requeueAfterMs } = await this.options.reconcile(key)
      this.#failures.delete(key)
      if (requeueAfterMs === 0) this.#again.add(key)
      else if (requeueAfterMs !== undefined) this.markAfter(key, requeueAfterMs)
    } catch (error) {
      const attempt = (this.#failures.get(key) ?? 0) + 1
      this.#failures.set(key, attempt)
      const random = this.options.random === undefined ? {} : { random: this.options.random }
      const retryInMs = backoffMs(attempt, { ...(this.options.backoff ?? DEFAULT_BACKOFF), ...random })
      this.options.onError(key, error, retryInMs)
      this.markAfter(key, retryInMs)
    }
  }

  #clearTimer(key: string): void {
    clearTimeout(this.#timers.get(key)?.timer)
    this.#timers.delete(key)
  }
}
