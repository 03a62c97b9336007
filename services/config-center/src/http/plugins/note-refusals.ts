import { TenantName } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Value } from 'typebox/value'
import type { RefusalBook } from '../../audit/refusal-book.js'
import { actorOf } from '../../domain/access.js'

/** Notes every request that is refused for who asks. Call it before routes are added. `now` is epoch milliseconds. */
export function installRefusalNotes(app: FastifyInstance, book: RefusalBook, now: () => number): void {
  app.addHook('onError', async (request, _reply, error) => {
    if (!isAppError(error) || (error.kind !== 'unauthenticated' && error.kind !== 'permission_denied')) return
    const { authenticated, method, routeOptions, ip } = request
    book.note({
      code: error.code,
      request: `${method} ${routeOptions.url ?? ''}`,
      actor: authenticated === null ? null : actorOf(authenticated),
      ...(authenticated?.onBehalfOf === undefined ? {} : { onBehalfOf: authenticated.onBehalfOf }),
      tenant: tenantOf(request),
      address: ip,
      at: now(),
    })
  })
}

function tenantOf({ params }: FastifyRequest): string | null {
  if (typeof params !== 'object' || params === null || !('tenant' in params)) return null
  return Value.Check(TenantName, params.tenant) ? params.tenant : null
}
