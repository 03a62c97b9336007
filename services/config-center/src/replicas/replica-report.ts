import { Instant, StoreRevisionText } from '@tributary/contract'
import { Type, type Static } from 'typebox'
import type { LiveCatalog } from '../ports/live-catalog.js'

/** What a replica tells of itself. */
export const ReplicaReport = Type.Object({
  storeRevision: StoreRevisionText,
  staleSince: Type.Union([Instant, Type.Null()]),
  subscribers: Type.Integer({ minimum: 0 }),
})
export type ReplicaReport = Static<typeof ReplicaReport>

/** How this replica is doing now. Asks nobody. */
export function reportOf(
  { catalog, health }: Pick<LiveCatalog, 'catalog' | 'health'>,
  { book }: { readonly book: { readonly size: number } },
): ReplicaReport {
  return {
    storeRevision: `${catalog.storeRevision}`,
    staleSince: health.state === 'live' ? null : new Date(health.since).toISOString(),
    subscribers: book.size,
  }
}
