import type { RefusedAttempts } from '@tributary/contract'

/** A request that was refused. `at` is epoch milliseconds. */
export interface Refusal extends Omit<RefusedAttempts, 'count' | 'firstAt' | 'lastAt'> {
  readonly at: number
}

/** What was counted: `attempts` told apart, and how many found no room among them. */
export interface CountedRefusals {
  readonly attempts: readonly RefusedAttempts[]
  readonly uncounted: number
}

interface Count {
  readonly refusal: Refusal
  count: number
  lastAt: number
}

/** Kinds of attempts that are told apart at a time: whoever makes more of them only makes a number grow. */
const MAX_KINDS = 100

/** Counts refused requests that are alike, in bounded memory, until they are taken to be recorded. */
export class RefusalBook {
  readonly #counts = new Map<string, Count>()
  #uncounted = 0

  get isEmpty(): boolean {
    return this.#counts.size === 0 && this.#uncounted === 0
  }

  note(refusal: Refusal): void {
    const { at, ...kind } = refusal
    const key = JSON.stringify(kind)
    const known = this.#counts.get(key)
    if (known !== undefined) {
      known.count += 1
      known.lastAt = at
    } else if (this.#counts.size < MAX_KINDS) this.#counts.set(key, { refusal, count: 1, lastAt: at })
    else this.#uncounted += 1
  }

  /** Everything since the last call, the most frequent first; the book is empty then. */
  take(): CountedRefusals {
    const counts = [...this.#counts.values()].sort((left, right) => right.count - left.count)
    const uncounted = this.#uncounted
    this.#counts.clear()
    this.#uncounted = 0
    return { attempts: counts.map(describe), uncounted }
  }
}

function describe({ refusal: { at, ...kind }, count, lastAt }: Count): RefusedAttempts {
  return { ...kind, count, firstAt: new Date(at).toISOString(), lastAt: new Date(lastAt).toISOString() }
}
