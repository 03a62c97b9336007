import { PollResult, StreamQuery } from '@tributary/contract'
import { Type } from 'typebox'
import { longPoll } from '../../watch/long-poll.js'
import { clientGone } from '../client-gone.js'
import { SharedDeadline } from './shared-deadline.js'
import type { TypedApp } from '../route-deps.js'
import { answers, MAX_WAIT_MS, strictObject, TenantParams } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'
import { catchUpFor, subscribeRequest } from './subscribe-request.js'

const CATCH_UP_TIMEOUT_MS = 5_000

const schema = {
  summary: 'The stream’s frames by long poll, for clients behind proxies that hold streams back',
  params: TenantParams,
  querystring: strictObject({
    ...StreamQuery.properties,
    timeoutMs: Type.Integer({ minimum: 0, maximum: MAX_WAIT_MS, default: 25_000, description: 'how long to wait' }),
  }),
  response: answers({ 200: Type.Unsafe<string>(PollResult) }),
}

// A HEAD would open a stream, or wait, for nothing.
const options = { schema, config: { access: 'read-view' }, exposeHeadRoute: false } as const

/** `GET /v1/tenants/:tenant/poll`. */
export function pollRoute(app: TypedApp, { live, hub }: StreamingDeps): void {
  const deadline = new SharedDeadline(CATCH_UP_TIMEOUT_MS)
  app.get('/v1/tenants/:tenant/poll', options, async (request, reply) => {
    const { timeoutMs, ...query } = request.query
    const subscribe = subscribeRequest({ request, tenant: request.params.tenant, query })
    await catchUpFor(live, subscribe, deadline.signal)
    const body = await longPoll(hub, live, { subscribe, timeoutMs, signal: clientGone(reply) })
    // Serialised already; as a string it would go through the serialiser again.
    return reply.code(200).type('application/json; charset=utf-8').serializer(String).send(body)
  })
}
