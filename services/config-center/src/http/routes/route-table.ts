import { RouteTable } from '@tributary/contract'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import { SharedDeadline } from './shared-deadline.js'
import type { TypedApp } from '../route-deps.js'
import { answers, TenantParams } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

const READ_TIMEOUT_MS = 5_000

const schema = {
  summary: 'The route table of the tree that a tenant is in, linearizable',
  params: TenantParams,
  response: answers({ 200: Type.Unsafe<Buffer>(RouteTable) }),
}

/** `GET /v1/tenants/:tenant/routes`. */
export function routeTableRoute(app: TypedApp, { live, hub }: StreamingDeps): void {
  const deadline = new SharedDeadline(READ_TIMEOUT_MS)
  app.get('/v1/tenants/:tenant/routes', { schema, config: { access: 'read-view' } }, async (request, reply) => {
    const { storeRevision } = await live.readLinearizable({ signal: deadline.signal })
    const { tenant } = request.params
    const table = hub.tables.find(tenant)
    if (table === undefined) throw failure('TENANT_NOT_FOUND', `Tenant ${tenant} does not exist; check its name.`)
    hub.tables.release(table)
    return reply.code(200).type('application/json; charset=utf-8').send(table.body(storeRevision))
  })
}
