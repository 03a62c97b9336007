import { ResolvedView, ServiceName } from '@tributary/contract'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import { SharedDeadline } from './shared-deadline.js'
import type { TypedApp } from '../route-deps.js'
import { answers, InstanceName, strictObject, TenantParams } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

const READ_TIMEOUT_MS = 5_000

const schema = {
  summary: 'The resolved view of a tenant, linearizable',
  params: TenantParams,
  querystring: strictObject({
    service: Type.Optional({ ...ServiceName, description: 'only this service’s config document' }),
    instance: Type.Optional({
      ...InstanceName,
      description: 'as this instance of the service has it, in a gray release too',
    }),
  }),
  response: answers({
    200: Type.Unsafe<Buffer>(ResolvedView),
    304: Type.Null({ description: 'The view still has the hash of If-None-Match.' }),
  }),
}

/** `GET /v1/tenants/:tenant/view`. The body is serialised once for as long as the view stays the same. */
export function viewRoute(app: TypedApp, { live, hub }: StreamingDeps): void {
  const deadline = new SharedDeadline(READ_TIMEOUT_MS)
  app.get('/v1/tenants/:tenant/view', { schema, config: { access: 'read-view' } }, async (request, reply) => {
    const { storeRevision } = await live.readLinearizable({ signal: deadline.signal })
    const { tenant } = request.params
    const { service = null, instance = '' } = request.query
    const view = hub.viewFor({ tenant, service, instance })
    if (view === undefined) throw failure('TENANT_NOT_FOUND', `Tenant ${tenant} does not exist; check its name.`)
    hub.views.release(view)
    // Weak: bodies of one hash differ in their storeRevision.
    const etag = `W/"${view.hash}"`
    reply.header('etag', etag).header('cache-control', 'private, no-cache')
    if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send(null)
    return reply.code(200).type('application/json; charset=utf-8').send(view.body(storeRevision))
  })
}

/** Weak comparison of RFC 9110, section 8.8.3.2: the `W/` of either side does not count. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  const opaque = etag.slice('W/'.length)
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === opaque)
}
