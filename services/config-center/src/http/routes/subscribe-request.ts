import type { StreamChannel, StreamQuery } from '@tributary/contract'
import type { FastifyRequest } from 'fastify'
import type { LiveCatalog } from '../../ports/live-catalog.js'
import type { SubscribeRequest } from '../../watch/stream-hub-options.js'

const REVISION = /^(0|[1-9][0-9]{0,18})$/

/** A query of the stream or of the long poll with the request that carries it. */
export interface SubscribeSource {
  readonly request: FastifyRequest
  readonly tenant: string
  readonly query: StreamQuery
}

/** Reads what a client wants to follow. `after` goes before the `Last-Event-ID` header, which browsers send on their own. */
export function subscribeRequest({ request, tenant, query }: SubscribeSource): Omit<SubscribeRequest, 'kind'> {
  const after = query.after ?? lastEventId(request)
  return {
    tenant,
    service: query.service ?? null,
    channels: new Set((query.channels ?? 'view').split(',').filter(isChannel)),
    ...(after === undefined ? {} : { after: BigInt(after) }),
    ...(query.viewHash === undefined ? {} : { viewHash: query.viewHash }),
    ...(query.routesHash === undefined ? {} : { routesHash: query.routesHash }),
    instance: query.instance ?? '',
    tokenId: request.principal.tokenId,
  }
}

/**
 * Waits for the store where this replica knows too little to answer: a tenant made through another replica a moment ago, or a
 * cursor from one that was ahead, which must not be taken back in time. Everyone else starts from memory, the store up or down.
 */
export async function catchUpFor(
  live: LiveCatalog,
  wanted: Pick<SubscribeRequest, 'tenant' | 'after'>,
  signal: AbortSignal,
): Promise<void> {
  const { catalog } = live
  const { after = 0n, tenant } = wanted
  // A cursor beyond the end of the store is of a history that is no more; the stream's first frames tell the client.
  if (after > catalog.storeRevision) await live.reach(after, { signal })
  else if (catalog.tenant(tenant) === undefined) await live.readLinearizable({ signal })
}

function lastEventId(request: FastifyRequest): string | undefined {
  const header = request.headers['last-event-id']
  return typeof header === 'string' && REVISION.test(header) ? header : undefined
}

function isChannel(name: string): name is StreamChannel {
  return name === 'view' || name === 'routes'
}
