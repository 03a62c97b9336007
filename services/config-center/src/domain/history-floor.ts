import type { StoreRevision } from '@tributary/store'

/** Where it is kept up to which write of a tenant history has been forgotten. Its value is that write's revision. */
export const historyFloorKey = (tenant: string): string => `cc/history-floor/${tenant}`

/** How much history is kept of each tenant. */
export interface HistoryLimits {
  /** The newest so many records are kept, and no others. */
  readonly maxRecords: number
  /** Records at the old end that are older than this go too, milliseconds. */
  readonly maxAgeMs: number
}

/** What the decision looks at. `at` is epoch milliseconds. */
export interface DatedRecord {
  readonly at: number
}

/**
 * How many of a tenant's records, counted from the oldest, are to be forgotten; `records` are newest first. It is always the old
 * end that goes, without a gap, so that one revision says what is still known. A clock that once went wrong forgets nothing early:
 * a record is as young as the youngest before it.
 */
export function countForgotten(records: readonly DatedRecord[], limits: HistoryLimits, now: number): number {
  const oldestKeptAt = now - limits.maxAgeMs
  const newestToGo = records.findLastIndex(({ at }) => at >= oldestKeptAt) + 1
  return records.length - Math.min(newestToGo, limits.maxRecords)
}

/** Reads a floor back; 0 where nothing has been forgotten. */
export function parseFloor(value: string | undefined): StoreRevision {
  return value === undefined ? 0n : BigInt(value)
}
