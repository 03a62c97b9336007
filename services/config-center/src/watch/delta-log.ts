import type { StoreRevision } from '@tributary/store'
import type { Frame } from './frame.js'

/** A delta with what it leads to. */
export interface LoggedDelta {
  readonly to: StoreRevision
  /** The channel's hash after it. */
  readonly hash: string
  readonly frame: Frame
}

/** Bounds of the history of deltas: of each channel, and of all of them together. */
export interface DeltaLogLimits {
  readonly maxDeltas: number
  readonly maxChars: number
  readonly maxTotalChars: number
}

/** Where a log starts: the channel had `hash` at `revision`. */
interface LogStart {
  readonly revision: StoreRevision
  readonly hash: string
}

/** What all logs hold together; the oldest delta of all goes first when that is too much. */
export class DeltaBudget {
  readonly limits: DeltaLogLimits
  readonly #owners = new Map<LoggedDelta, DeltaLog>()
  readonly #onAdded: (delta: LoggedDelta) => void
  #totalChars = 0

  /** `onAdded` is told every delta of every log. */
  constructor(limits: DeltaLogLimits, onAdded: (delta: LoggedDelta) => void = () => undefined) {
    this.limits = limits
    this.#onAdded = onAdded
  }

  get totalChars(): number {
    return this.#totalChars
  }

  /** Counts a delta that `log` has added, and drops the oldest ones that no longer fit. */
  add(delta: LoggedDelta, log: DeltaLog): void {
    this.#onAdded(delta)
    this.#owners.set(delta, log)
    this.#totalChars += delta.frame.data.length
    for (const owner of this.#owners.values()) {
      if (this.#totalChars <= this.limits.maxTotalChars) return
      // The oldest of all is the oldest of its own log too, since each log is in order.
      owner.dropOldest()
    }
  }

  /** Forgets a delta that its log has dropped. */
  remove(delta: LoggedDelta): void {
    if (this.#owners.delete(delta)) this.#totalChars -= delta.frame.data.length
  }
}

/** The newest deltas of one channel, oldest first, without a gap from its start to now. */
export class DeltaLog {
  readonly #budget: DeltaBudget
  #deltas: LoggedDelta[] = []
  #chars = 0
  #start: LogStart

  constructor(budget: DeltaBudget, start: LogStart) {
    this.#budget = budget
    this.#start = start
  }

  /** Adds the newest delta. */
  append(delta: LoggedDelta): void {
    this.#deltas.push(delta)
    this.#chars += delta.frame.data.length
    this.#budget.add(delta, this)
    const { maxDeltas, maxChars } = this.#budget.limits
    while (this.#deltas.length > maxDeltas || this.#chars > maxChars) this.dropOldest()
  }

  /** Moves the start past the oldest delta. */
  dropOldest(): void {
    const oldest = this.#deltas.shift()
    if (oldest === undefined) return
    this.#chars -= oldest.frame.data.length
    this.#budget.remove(oldest)
    this.#start = { revision: oldest.to, hash: oldest.hash }
  }

  /**
   * What a receiver has missed that is at `revision`, or past it: with two channels a client has one cursor for both, and may
   * have got further in one of them. `hash` then says where it is. Undefined when the log does not reach back, or when the
   * channel had no such hash since.
   */
  since(revision: StoreRevision, hash: string | undefined): LoggedDelta[] | undefined {
    if (revision < this.#start.revision) return undefined
    const missed = this.#deltas.filter((delta) => delta.to > revision)
    const last = this.#deltas[this.#deltas.length - missed.length - 1] ?? this.#start
    if (hash === undefined || hash === last.hash) return missed
    // The first match: what the receiver turns out to have already, it drops.
    const position = missed.findIndex((delta) => delta.hash === hash)
    return position < 0 ? undefined : missed.slice(position + 1)
  }

  /** Gives everything back to the budget. */
  clear(): void {
    for (const delta of this.#deltas) this.#budget.remove(delta)
    this.#deltas = []
    this.#chars = 0
  }
}
