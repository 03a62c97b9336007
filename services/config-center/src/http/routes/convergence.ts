import { Convergence, StoreRevisionText, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import { clientGone } from '../client-gone.js'
import type { TypedApp } from '../route-deps.js'
import { answers, MAX_WAIT_MS, strictObject } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

const schema = {
  summary: 'Wait until live subscribers have applied a revision, or list the laggards',
  querystring: strictObject({
    revision: StoreRevisionText,
    tenant: Type.Optional(TenantName),
    timeoutMs: Type.Integer({ minimum: 0, maximum: MAX_WAIT_MS, default: 0, description: '0: how things stand now' }),
  }),
  response: answers({ 200: Convergence }),
}

/** `GET /v1/convergence`. */
export function convergenceRoute(app: TypedApp, { convergence }: StreamingDeps): void {
  app.get('/v1/convergence', { schema, config: { access: 'read' } }, async (request, reply) => {
    const { revision, tenant, timeoutMs } = request.query
    return convergence.wait({
      storeRevision: BigInt(revision),
      ...(tenant === undefined ? {} : { tenant }),
      timeoutMs,
      signal: clientGone(reply),
    })
  })
}
