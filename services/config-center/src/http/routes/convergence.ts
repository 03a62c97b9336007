import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Convergence, StoreRevisionText, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import type { StreamingDeps } from './streaming-deps.js'

const schema = {
  summary: 'Wait until live subscribers have applied a revision, or list the laggards',
  querystring: Type.Object(
    {
      revision: StoreRevisionText,
      tenant: Type.Optional(TenantName),
      timeoutMs: Type.Integer({ minimum: 0, maximum: 60_000, default: 0, description: '0: how things stand now' }),
    },
    { additionalProperties: false },
  ),
  response: { 200: Convergence },
}

/** `GET /v1/convergence`. */
export const convergenceRoute: FastifyPluginAsyncTypebox<StreamingDeps> = async (app, { convergence }) => {
  app.get('/v1/convergence', { schema, config: { access: 'read' } }, async (request) => {
    const { revision, tenant, timeoutMs } = request.query
    return convergence.wait({
      storeRevision: BigInt(revision),
      ...(tenant === undefined ? {} : { tenant }),
      timeoutMs,
      signal: request.signal,
    })
  })
}
