import type { Subscription } from '@tributary/contract'
import type { ConvergenceWatcher } from '../../ports/convergence.js'
import type { LiveCatalog } from '../../ports/live-catalog.js'
import type { StreamHub } from '../../watch/stream-hub.js'

/** What the routes of views, streams and subscriptions need. */
export interface StreamingDeps {
  readonly live: LiveCatalog
  readonly hub: StreamHub
  readonly convergence: ConvergenceWatcher
  /** The live streams of other replicas. Default: there are no others. */
  readonly subscriptionsElsewhere?: ((tenant: string | undefined) => Promise<readonly Subscription[]>) | undefined
}
