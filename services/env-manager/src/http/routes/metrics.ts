import { phaseOf } from '../../domain/environment-record.js'
import type { ManagerMetrics } from '../../metrics/manager-metrics.js'
import { findBreaker } from '../../operations/state/breaker.js'
import { listEnvironments } from '../../operations/state/environments.js'
import { Type } from 'typebox'
import { answers, type RouteDeps, type TypedApp } from '../route-deps.js'

/** `GET /metrics`, for viewers and above: how much goes on is nobody else's business. */
export function metricsRoute(app: TypedApp, { deps, loop }: RouteDeps, metrics: ManagerMetrics): void {
  metrics.addGauges({
    environments: async () => (await listEnvironments(deps.store)).map((record) => phaseOf(record)),
    frozenRemovals: async () => (await findBreaker(deps.store))?.wouldDelete.length ?? 0,
    queued: () => loop.status().queued.length,
    running: () => loop.status().running.length,
    watches: () => deps.platform.watches(),
    failingRepositories: () => loop.status().repositories.filter(({ error }) => error !== null).length,
  })
  app.get(
    '/metrics',
    {
      config: { callers: 'read' },
      schema: {
        summary: 'Metrics in the Prometheus text format',
        response: answers({ 200: { content: { 'text/plain': { schema: Type.String() } } } }),
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()),
  )
}
