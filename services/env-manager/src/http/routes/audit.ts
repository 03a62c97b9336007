import { AuditRecord, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import { listAudit } from '../../operations/list-audit.js'
import { answers, strictObject, type RouteDeps, type TypedApp } from '../route-deps.js'

/** Who did what, from where. */
export function auditRoute(app: TypedApp, { deps }: Pick<RouteDeps, 'deps'>): void {
  app.get(
    '/v1/audit',
    {
      config: { callers: 'read' },
      schema: {
        summary: 'Who asked for what, newest first; config writes stand in the config center’s history',
        querystring: strictObject({
          environment: Type.Optional(TenantName),
          before: Type.Optional(Type.String({ maxLength: 64, description: 'an auditId: only older ones' })),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
        }),
        response: answers({ 200: strictObject({ records: Type.Array(AuditRecord) }) }),
      },
    },
    async ({ query: { limit = 100, ...query } }) => ({
      records: [...(await listAudit(deps.store, { limit, ...query }))],
    }),
  )
}
