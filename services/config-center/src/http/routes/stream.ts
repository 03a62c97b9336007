import type { ServerResponse } from 'node:http'
import { StreamQuery } from '@tributary/contract'
import { Type } from 'typebox'
import { SseConnection } from '../../watch/sse-connection.js'
import type { StreamHub } from '../../watch/stream-hub.js'
import type { Subscriber } from '../../watch/subscriber.js'
import { drainOnClose } from './drain-on-close.js'
import { SharedDeadline } from './shared-deadline.js'
import type { TypedApp } from '../route-deps.js'
import { answers, TenantParams } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'
import { catchUpFor, subscribeRequest } from './subscribe-request.js'

const CATCH_UP_TIMEOUT_MS = 5_000

const schema = {
  summary: 'Follow a tenant’s view and route table as Server-Sent Events',
  params: TenantParams,
  querystring: StreamQuery,
  response: answers({ 200: { content: { 'text/event-stream': { schema: Type.String() } } } }),
}

// A HEAD would open a stream, or wait, for nothing.
const options = { schema, config: { access: 'read-view' }, exposeHeadRoute: false } as const

/** `GET /v1/tenants/:tenant/stream` (docs/adr/0002). Closing the server says goodbye to all subscribers first. */
export function streamRoute(app: TypedApp, { live, hub }: StreamingDeps): void {
  const deadline = new SharedDeadline(CATCH_UP_TIMEOUT_MS)
  drainOnClose(app, hub)
  app.get('/v1/tenants/:tenant/stream', options, async (request, reply) => {
    const wanted = subscribeRequest({ request, tenant: request.params.tenant, query: request.query })
    await catchUpFor(live, wanted, deadline.signal)
    const subscriber = hub.subscribe({ ...wanted, kind: 'stream' }, new SseConnection(reply.raw))
    reply.hijack()
    leaveOnClose(hub, subscriber, reply.raw)
  })
}

// On its own, so that a stream that lives for days does not hold its request and query.
function leaveOnClose(hub: StreamHub, subscriber: Subscriber, response: ServerResponse): void {
  response.once('close', () => hub.leave(subscriber))
  // The client may have gone while the catalog caught up; its `close` is then over.
  if (response.destroyed) hub.leave(subscriber)
}
