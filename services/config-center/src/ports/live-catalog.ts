import type { StoreRevision } from '@tributary/store'
import type { CatalogChange, CatalogReader } from '../domain/catalog.js'

/** How well the catalog follows the store. `stale`: it serves what it had and retries; `since` is epoch milliseconds. */
export type CatalogHealth =
  { readonly state: 'live' } | { readonly state: 'stale'; readonly since: number; readonly reason: string }

/** The catalog in memory, kept up with the store. */
export interface LiveCatalog {
  /** What is known now. It may be behind the store by the delay of the watch; never ahead, never half a revision. */
  readonly catalog: CatalogReader
  readonly health: CatalogHealth
  /** Resolves once the catalog is at `revision` or later. Rejects with the signal's reason. */
  waitFor(revision: StoreRevision, options: { readonly signal: AbortSignal }): Promise<void>
  /**
   * The catalog, not older than any write acknowledged before the call. Concurrent callers share one question to the store.
   * @throws AppError `STORE_UNAVAILABLE`: the store does not answer; `catalog` still serves what is known.
   */
  readLinearizable(options: { readonly signal: AbortSignal }): Promise<CatalogReader>
  /**
   * Resolves to true once the catalog is at `revision` or later, which another replica has shown to somebody: also when only
   * what is outside the catalog has moved the store there. False: the store's history does not get that far, so it was reset.
   * @throws AppError as {@link readLinearizable}
   */
  reach(revision: StoreRevision, options: { readonly signal: AbortSignal }): Promise<boolean>
  /** Calls `listener`, which must not throw, after every batch; no changes when only the revision moved. Returns how to stop that. */
  onChanges(listener: (changes: readonly CatalogChange[], storeRevision: StoreRevision) => void): () => void
}
