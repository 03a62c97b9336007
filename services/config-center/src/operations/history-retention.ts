import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { HistoryLimits } from '../domain/history-floor.js'
import { pruneHistory } from './prune-history.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Far more than people look back at, and bounded. */
export const DEFAULT_HISTORY_LIMITS: HistoryLimits = { maxRecords: 10_000, maxAgeMs: 400 * DAY_MS }

/** How a replica forgets history. */
export interface RetentionOptions {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly limits: HistoryLimits
  readonly signal: AbortSignal
  /** Told how many records a pass has forgotten. */
  readonly onPruned: (records: number) => void
  readonly onError: (error: unknown) => void
  /** Between passes, milliseconds. Default 6 h. */
  readonly intervalMs?: number
}

/** Forgets old history now and then until `signal` aborts. A pass that fails is followed by the next one. */
export async function keepHistoryBounded(options: RetentionOptions): Promise<void> {
  const { clock, signal, intervalMs = 6 * HOUR_MS } = options
  while (!signal.aborted) {
    // Not at the start: replicas that start together with a store that is busy with them have something better to do.
    await clock.sleep(intervalMs * (0.5 + Math.random()), signal).catch(() => undefined)
    if (signal.aborted) return
    try {
      options.onPruned(await pruneHistory({ ...options, now: clock.now() }))
    } catch (error) {
      if (!signal.aborted) options.onError(error)
    }
  }
}
