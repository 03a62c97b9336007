import { GrayRelease, GrayReleaseSpec, WriteResult } from '@tributary/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { describeGray } from '../../domain/describe.js'
import type { CheckedCommitResult } from '../../operations/commit-changes.js'
import {
  abortGrayRelease,
  applyGrayRelease,
  getGray,
  promoteGrayRelease,
  type GrayRequest,
} from '../../operations/gray-releases.js'
import { getTenantRecord, readCatalog } from '../../operations/operation-context.js'
import { optional } from '../optional.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, EntryParams, listOf, TenantParams, ThingWriteQuery } from '../route-schemas.js'
import { noteOf, writeAnswer } from '../write-answer.js'

const RELEASES = '/v1/tenants/:tenant/gray-releases'
const RELEASE = `${RELEASES}/:service`
const write = { params: EntryParams, querystring: ThingWriteQuery, response: answers({ 200: WriteResult }) }

/** `/v1/tenants/:tenant/gray-releases`: changes of a document that some instances get first (docs/adr/0017). */
export function grayReleaseRoutes(app: TypedApp, deps: RouteDeps): void {
  readRoutes(app, deps)
  const { context } = deps
  app.put(
    RELEASE,
    {
      config: { access: 'write' },
      schema: {
        summary: 'Give some instances of a service a change of its document first, or change what or whom',
        ...write,
        body: GrayReleaseSpec,
      },
    },
    async (request, reply) =>
      answer(deps, { request, reply }, (wanted) => applyGrayRelease(context, request.body, wanted)),
  )

  app.post(
    `${RELEASE}/promote`,
    { config: { access: 'write' }, schema: { summary: 'Make a gray release the document of all instances', ...write } },
    async (request, reply) => answer(deps, { request, reply }, (wanted) => promoteGrayRelease(context, wanted)),
  )

  app.delete(
    RELEASE,
    { config: { access: 'write' }, schema: { summary: 'Abort a gray release', ...write } },
    async (request, reply) => answer(deps, { request, reply }, (wanted) => abortGrayRelease(context, wanted)),
  )
}

interface Call {
  readonly request: Pick<FastifyRequest, 'principal'> & {
    readonly params: { readonly tenant: string; readonly service: string }
    readonly query: ThingWriteQuery
  }
  readonly reply: FastifyReply
}

async function answer(
  { convergence }: RouteDeps,
  { request, reply }: Call,
  commit: (wanted: GrayRequest) => Promise<CheckedCommitResult>,
): Promise<WriteResult> {
  const { params, principal, query } = request
  const { schema: schemaMode, expectedRevision, waitMs } = query
  const wanted = { ...params, principal, note: noteOf(query), schemaMode, ...optional({ expectedRevision }) }
  return writeAnswer(convergence, await commit(wanted), { waitMs, reply })
}

function readRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    RELEASES,
    {
      config: { access: 'read' },
      schema: {
        summary: 'List a tenant’s gray releases that are under way',
        params: TenantParams,
        response: answers({ 200: listOf({ releases: Type.Array(GrayRelease) }) }),
      },
    },
    async ({ params: { tenant } }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, tenant)
      const releases = [...catalog.grayOf(tenant).values()].map(describeGray)
      return {
        storeRevision: String(catalog.storeRevision),
        releases: releases.sort((left, right) => (left.service < right.service ? -1 : 1)),
      }
    },
  )

  app.get(
    RELEASE,
    {
      config: { access: 'read' },
      schema: { summary: 'Get a gray release', params: EntryParams, response: answers({ 200: GrayRelease }) },
    },
    async ({ params: { tenant, service } }) => describeGray(getGray(await readCatalog(context), tenant, service)),
  )
}
