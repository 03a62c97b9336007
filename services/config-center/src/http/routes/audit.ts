import { ConfigAuditRecord, Instant, StoreRevisionText, TenantName } from '@tributary/contract'
import { Type } from 'typebox'
import { failure } from '../../errors.js'
import { listAudit } from '../../operations/list-audit.js'
import { optional } from '../optional.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, listOf, strictObject } from '../route-schemas.js'

const querystring = strictObject({
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
  before: Type.Optional({ ...StoreRevisionText, description: 'only older ones: nextBefore of the answer before' }),
  actor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: 'part of a token’s or a person’s name, in any case' }),
  ),
  tenant: Type.Optional(TenantName),
  since: Type.Optional({ ...Instant, description: 'not older than this instant' }),
})

/** `GET /v1/audit`: what was written by whom, in all tenants, and what was refused. */
export function auditRoute(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/v1/audit',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Writes of all tenants, tokens made and revoked, and refused attempts, newest first',
        description:
          'Refused attempts are counted and recorded every ten seconds. Heartbeats and ends of leases are not recorded. A filter that fits little gives short pages: go on while nextBefore is not null.',
        querystring,
        response: answers({
          200: listOf({
            records: Type.Array(ConfigAuditRecord),
            nextBefore: Type.Union([StoreRevisionText, Type.Null()]),
          }),
        }),
      },
    },
    async ({ query: { limit, before, since, ...filters } }) => {
      const sinceMs = since === undefined ? undefined : instantOf(since)
      const bound = before === undefined ? undefined : BigInt(before)
      return listAudit(context, { limit, ...optional({ ...filters, before: bound, sinceMs }) })
    },
  )
}

function instantOf(since: string): number {
  const ms = Date.parse(since)
  if (Number.isFinite(ms)) return ms
  const rule = 'must be an RFC 3339 instant, e.g. 2026-01-31T08:00:00Z'
  throw failure('INVALID_REQUEST', `The audit log was not read: since ${rule}.`, {
    details: { in: 'querystring', violations: [{ field: '/since', type: 'string', rule }] },
  })
}
