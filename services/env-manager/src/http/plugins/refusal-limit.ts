import type { Clock } from '@tributary/kit'

/** Refused requests of one person or token that are kept in a minute. */
const KEPT_A_MINUTE = 20
const MINUTE_MS = 60_000
const MAX_SUBJECTS = 1_000

/**
 * Bounds what is kept of refused requests: whoever may only read must not be able to wash everybody else's deeds out of the audit log by asking for
 * what is refused, again and again.
 */
export class RefusalLimit {
  readonly #kept = new Map<string, number>()
  #endsAtMs = -Infinity

  constructor(private readonly clock: Pick<Clock, 'monotonicMs'>) {}

  /** Whether one more refused request of a person or token is kept; it then counts. */
  takes(subject: string): boolean {
    const now = this.clock.monotonicMs()
    if (now >= this.#endsAtMs) {
      this.#kept.clear()
      this.#endsAtMs = now + MINUTE_MS
    }
    const kept = this.#kept.get(subject) ?? 0
    if (kept >= KEPT_A_MINUTE || (kept === 0 && this.#kept.size >= MAX_SUBJECTS)) return false
    this.#kept.set(subject, kept + 1)
    return true
  }
}
