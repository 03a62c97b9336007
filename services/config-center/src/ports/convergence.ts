import type { Convergence } from '@tributary/contract'
import type { StoreRevision } from '@tributary/store'

/** Which subscribers to wait for, and how long. */
export interface ConvergenceRequest {
  readonly storeRevision: StoreRevision
  /** Only this tenant's subscribers. Default: all whose view or table changed. */
  readonly tenant?: string
  /** 0 answers at once with how things stand. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Knows how far live subscribers have got. */
export interface ConvergenceWatcher {
  /**
   * Resolves when every live subscriber (of this replica, or of all: as the watcher is made) whose channels changed at `storeRevision` or later has applied it, has
   * reported an error, or has left; at the deadline with the laggards. Rejects only with the signal's reason.
   */
  wait(request: ConvergenceRequest): Promise<Convergence>
}
