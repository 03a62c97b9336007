import { AppliedReport, Subscription, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import type { Principal } from '../../domain/access.js'
import { failure } from '../../errors.js'
import type { Subscriber } from '../../watch/subscriber.js'
import type { TypedApp } from '../route-deps.js'
import { answers, listOf, strictObject } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

/** Parameters of the routes of one subscription. */
export const SubscriptionParams = strictObject({
  id: Type.String({ maxLength: 64, description: 'subscriptionId of the hello frame' }),
})

const reportSchema = {
  summary: 'Report what a subscriber has applied',
  params: SubscriptionParams,
  body: AppliedReport,
  response: answers({ 204: Type.Null() }),
}

const listSchema = {
  summary: 'The live streams of all replicas',
  querystring: strictObject({ tenant: Type.Optional(TenantName) }),
  response: answers({ 200: listOf({ subscriptions: Type.Array(Subscription) }) }),
}

/** `POST /v1/subscriptions/:id/applied` and `GET /v1/subscriptions`. */
export function subscriptionRoutes(app: TypedApp, { live, hub, subscriptionsElsewhere }: StreamingDeps): void {
  app.post(
    '/v1/subscriptions/:id/applied',
    { schema: reportSchema, config: { access: 'authenticated' } },
    async (request, reply) => {
      const subscriber = hub.book.get(request.params.id)
      requireOwner(request.principal, subscriber)
      requireReached(live.catalog.storeRevision, request.body.appliedRevision)
      hub.book.report(subscriber, request.body)
      return reply.code(204).send(null)
    },
  )

  app.get('/v1/subscriptions', { schema: listSchema, config: { access: 'read' } }, async ({ query: { tenant } }) => {
    const elsewhere = (await subscriptionsElsewhere?.(tenant)) ?? []
    const subscriptions = [...hub.book.list(tenant), ...elsewhere]
    return { storeRevision: `${live.catalog.storeRevision}`, subscriptions }
  })
}

/** @throws AppError `PERMISSION_DENIED`: only who opened a stream, or its tenant, may report on it. */
export function requireOwner(principal: Principal, subscriber: Subscriber): void {
  if (principal.tokenId === subscriber.tokenId) return
  if (principal.role === 'tenant' && principal.tenant === subscriber.tenant) return
  const message = `Subscription ${subscriber.id} was opened with another token; report with the one that opened it.`
  throw failure('PERMISSION_DENIED', message)
}

function requireReached(storeRevision: bigint, appliedRevision: string): void {
  if (BigInt(appliedRevision) <= storeRevision) return
  const message = `Revision ${appliedRevision} cannot have been applied: this replica is at ${storeRevision}.`
  throw failure('REVISION_IN_FUTURE', message)
}
