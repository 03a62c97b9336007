import { INTEGRATION_TENANT } from '@tributary/contract'
import type { EnvironmentRecord } from './environment-record.js'

/** What falling asleep depends on besides the record. */
export interface SleepSurroundings {
  /** Milliseconds without a push or a request; null: never. */
  readonly sleepAfterMs: number | null
  /** The last request through the gateway, epoch milliseconds; null: none is known. */
  readonly lastRequestAt: number | null
}

/**
 * When an environment falls asleep if nobody uses it from now on, in epoch milliseconds. Null: it never does, since it is pinned, asleep
 * or on its way out, since everybody falls back to it, or since environments are not put to sleep.
 */
export function fallsAsleepAt(
  record: Pick<EnvironmentRecord, 'name' | 'pinned' | 'asleep' | 'tombstone' | 'lastPushAt' | 'createdAt' | 'wokenAt'>,
  { sleepAfterMs, lastRequestAt }: SleepSurroundings,
): number | null {
  const awake = (record.asleep ?? null) === null && record.tombstone === null
  if (sleepAfterMs === null || record.pinned || !awake || record.name === INTEGRATION_TENANT) return null
  return Math.max(record.createdAt, record.lastPushAt, record.wokenAt ?? 0, lastRequestAt ?? 0) + sleepAfterMs
}
