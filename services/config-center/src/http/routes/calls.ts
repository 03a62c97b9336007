import { CallsReport, ObservedCalls, ObservedLeak, UnansweredReplicas } from '@tributary/contract'
import { Type } from 'typebox'
import type { CallBook } from '../../calls/call-book.js'
import type { CallMetrics } from '../../calls/call-metrics.js'
import { mergeCalls, mergeLeaks } from '../../calls/merge-calls.js'
import { failure } from '../../errors.js'
import type { CallsElsewhere } from '../../ports/calls-elsewhere.js'
import type { Subscriber } from '../../watch/subscriber.js'
import type { TypedApp } from '../route-deps.js'
import { answers, listOf, strictObject, TenantParams } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'
import { requireOwner, SubscriptionParams } from './subscriptions.js'

/** Where observed calls are kept and counted. */
export interface CallDeps {
  readonly book: CallBook
  readonly metrics: CallMetrics
  /** What other replicas were told. Default: there are no others. */
  readonly elsewhere?: CallsElsewhere | undefined
}

const DEFAULT_LEAK_AGE_SECONDS = 600
const MAX_LEAK_AGE_SECONDS = 86_400

const reportSchema = {
  summary: 'Report calls that a subscriber has counted since its last report',
  params: SubscriptionParams,
  body: CallsReport,
  response: answers({ 204: Type.Null() }),
}

const callsSchema = {
  summary: 'Observed calls of a tenant’s requests, and where they lost the tenant; of all replicas',
  params: TenantParams,
  response: answers({ 200: ObservedCalls }),
}

const leaksSchema = {
  summary: 'Leaks of all tenants that were seen lately, newest first; of all replicas',
  querystring: strictObject({
    maxAgeSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LEAK_AGE_SECONDS })),
  }),
  response: answers({ 200: listOf({ leaks: Type.Array(ObservedLeak), unansweredReplicas: UnansweredReplicas }) }),
}

/** `POST /v1/subscriptions/:id/calls`, `GET /v1/tenants/:tenant/calls`, `GET /v1/leaks` and `GET /metrics`. */
export function callRoutes(app: TypedApp, deps: StreamingDeps & CallDeps): void {
  reportRoute(app, deps)
  readingRoutes(app, deps)
  app.get(
    '/metrics',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Metrics in the Prometheus text format',
        response: answers({ 200: { content: { 'text/plain': { schema: Type.String() } } } }),
      },
    },
    async (_request, reply) => reply.type(deps.metrics.contentType).send(await deps.metrics.render()),
  )
}

function reportRoute(app: TypedApp, { hub, book, metrics }: StreamingDeps & CallDeps): void {
  app.post(
    '/v1/subscriptions/:id/calls',
    { schema: reportSchema, config: { access: 'authenticated' } },
    async (request, reply) => {
      const subscriber = hub.book.get(request.params.id)
      requireOwner(request.principal, subscriber)
      const { tenant } = subscriber
      const outcome = book.take({ tenant, service: requireService(subscriber) }, request.body)
      metrics.note(request.body, outcome)
      return reply.code(204).send(null)
    },
  )
}

function readingRoutes(app: TypedApp, { live, book, elsewhere }: StreamingDeps & CallDeps): void {
  app.get(
    '/v1/tenants/:tenant/calls',
    { schema: callsSchema, config: { access: 'read-view' } },
    async ({ params: { tenant } }) => {
      const { catalog } = live
      if (catalog.tenant(tenant) === undefined) {
        throw failure('TENANT_NOT_FOUND', `Tenant ${tenant} does not exist; check its name.`)
      }
      const others = await elsewhere?.calls(tenant)
      return {
        tenant,
        storeRevision: `${catalog.storeRevision}`,
        ...mergeCalls([book.countsOf(tenant), ...(others?.answers ?? [])]),
        ...unanswered(others),
      }
    },
  )

  app.get('/v1/leaks', { schema: leaksSchema, config: { access: 'read' } }, async ({ query }) => {
    const maxAgeMs = (query.maxAgeSeconds ?? DEFAULT_LEAK_AGE_SECONDS) * 1_000
    const others = await elsewhere?.leaks(maxAgeMs)
    return {
      storeRevision: `${live.catalog.storeRevision}`,
      leaks: mergeLeaks([book.leaks({ maxAgeMs }), ...(others?.answers ?? [])]),
      ...unanswered(others),
    }
  })
}

function unanswered(others: { readonly unanswered: number } | undefined): { unansweredReplicas?: number } {
  return others === undefined || others.unanswered === 0 ? {} : { unansweredReplicas: others.unanswered }
}

function requireService({ id, service }: Subscriber): string {
  if (service !== null) return service
  const advice = 'open the stream with `service`, so that calls have a caller'
  throw failure('SUBSCRIPTION_WITHOUT_SERVICE', `Subscription ${id} names no service; ${advice}.`)
}
