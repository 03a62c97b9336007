import type { RevisionedStore } from '@tributary/store'
import type { FastifyInstance } from 'fastify'
import { Registry } from 'prom-client'
import type { CatalogMirror } from '../watch/catalog-mirror.js'
import type { StreamHub } from '../watch/stream-hub.js'
import { AckLag } from './ack-lag.js'
import { MeasuredStore } from './measured-store.js'
import { ReplicaMetrics } from './replica-metrics.js'

/** What is measured. */
export interface MeasuredParts {
  readonly mirror: CatalogMirror
  readonly hub: StreamHub
}

/** How long a scrape may find out whether the replica is level with the store. */
const LAG_TIMEOUT_MS = 2_000

/** Requests that last as long as the client wants tell nothing by their duration. */
const LONG_ROUTES = /\/(stream|poll|convergence)$/

/** A replica's metrics and where they are taken. One registry holds them all. */
export class Instruments {
  readonly registry = new Registry()
  readonly metrics = new ReplicaMetrics(this.registry)

  /** The store with its answers and failures counted. */
  measure(store: RevisionedStore): RevisionedStore {
    return new MeasuredStore(store, this.metrics)
  }

  /** Takes the measures of a replica for as long as it lives. Call it before the app is ready. */
  follow(app: FastifyInstance, { mirror, hub }: MeasuredParts): void {
    this.metrics.addGauges({
      staleSeconds: () => mirror.staleMs / 1_000,
      lagSeconds: () => measureLag(mirror),
    })
    const lag = new AckLag((seconds) => this.metrics.noteAck(seconds))
    mirror.onChanges((_changes, revision) => lag.arrived(revision))
    hub.book.follow(lag)
    app.addHook('onResponse', async (request, reply) => {
      const route = request.routeOptions.url ?? 'none'
      const seconds = LONG_ROUTES.test(route) ? undefined : reply.elapsedTime / 1_000
      this.metrics.noteRequest({ method: request.method, route, status: reply.statusCode, seconds })
    })
  }
}

async function measureLag(mirror: CatalogMirror): Promise<number> {
  const startedAt = performance.now()
  try {
    await mirror.readLinearizable({ signal: AbortSignal.timeout(LAG_TIMEOUT_MS) })
    return (performance.now() - startedAt) / 1_000
  } catch {
    return Infinity
  }
}
