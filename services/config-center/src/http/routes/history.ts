import {
  Difference,
  DocumentName,
  HistoryRecord,
  RollbackRequest,
  StoreRevisionText,
  TenantName,
  WriteResult,
} from '@tributary/contract'
import { Type, type Static } from 'typebox'
import { failure } from '../../errors.js'
import { diffRevisions, diffTenants } from '../../operations/diff-tenant.js'
import { listHistory } from '../../operations/list-history.js'
import { rollbackTenant } from '../../operations/rollback-tenant.js'
import { optional } from '../optional.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, listOf, strictObject, TenantParams, writeQuery } from '../route-schemas.js'
import { noteOf, writeAnswer } from '../write-answer.js'

const HistoryQuery = strictObject({
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 50 }),
  before: Type.Optional({ ...StoreRevisionText, description: 'only writes before this revision: pages on' }),
  service: Type.Optional({ ...DocumentName, description: 'only writes of this service’s entry or document' }),
})

const DiffQuery = strictObject({
  fromRevision: Type.Optional(StoreRevisionText),
  toRevision: Type.Optional({ ...StoreRevisionText, description: 'default: now' }),
  against: Type.Optional({
    ...TenantName,
    description: 'compares what this tenant sees (before) with what the tenant sees (after)',
  }),
})
type DiffQuery = Static<typeof DiffQuery>

/** `/v1/tenants/:tenant/history`, `/diff` and `/rollback`. */
export function historyRoutes(app: TypedApp, deps: RouteDeps): void {
  const { context } = deps
  app.get(
    '/v1/tenants/:tenant/history',
    {
      config: { access: 'read' },
      schema: {
        summary: 'A tenant’s recorded writes, newest first',
        description:
          'Heartbeats of leased instances are not recorded, nor is the end of a lease: the entry is then gone.',
        params: TenantParams,
        querystring: HistoryQuery,
        response: answers({ 200: listOf({ records: Type.Array(HistoryRecord) }) }),
      },
    },
    async ({ params, query: { limit, before, service } }) => {
      const bound = before === undefined ? undefined : BigInt(before)
      return listHistory(context, { ...params, limit, ...optional({ before: bound, service }) })
    },
  )

  app.get(
    '/v1/tenants/:tenant/diff',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Differences between two revisions of a tenant, or between what two tenants see',
        params: TenantParams,
        querystring: DiffQuery,
        response: answers({ 200: listOf({ differences: Type.Array(Difference) }) }),
      },
    },
    async ({ params, query }) => {
      const question = questionOf(query)
      if ('against' in question) return diffTenants(context, params.tenant, question.against)
      return diffRevisions(context, { ...params, ...question })
    },
  )

  rollbackRoute(app, deps)
}

function rollbackRoute(app: TypedApp, { context, convergence }: RouteDeps): void {
  app.post(
    '/v1/tenants/:tenant/rollback',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Bring a tenant’s documents or entries back to a revision, as a new write',
        params: TenantParams,
        querystring: strictObject(writeQuery),
        body: RollbackRequest,
        response: answers({ 200: WriteResult }),
      },
    },
    async ({ params, query, body, principal }, reply) => {
      const commit = await rollbackTenant(context, {
        ...params,
        request: body,
        principal,
        note: noteOf(query),
        schemaMode: query.schema,
      })
      return writeAnswer(convergence, commit, { waitMs: query.waitMs, reply })
    },
  )
}

type Question = { against: string } | { fromRevision: bigint; toRevision?: bigint }

function questionOf({ fromRevision, toRevision, against }: DiffQuery): Question {
  if (against !== undefined && fromRevision === undefined && toRevision === undefined) return { against }
  if (against === undefined && fromRevision !== undefined) {
    const to = toRevision === undefined ? undefined : BigInt(toRevision)
    return { fromRevision: BigInt(fromRevision), ...optional({ toRevision: to }) }
  }
  throw failure(
    'INVALID_REQUEST',
    'A difference is asked for with fromRevision (and toRevision), or with against; not with both, nor with neither.',
    {
      details: {
        in: 'querystring',
        violations: [{ field: '/fromRevision', type: 'absent', rule: 'fromRevision or against' }],
      },
    },
  )
}
