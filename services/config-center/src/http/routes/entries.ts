import { EntrySpec, ServiceEntry, WriteResult } from '@tributary/contract'
import { Type } from 'typebox'
import { describeEntry } from '../../domain/describe.js'
import { failure } from '../../errors.js'
import { getTenantRecord, readCatalog } from '../../operations/operation-context.js'
import { commitOne } from '../commit-one.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, EntryParams, listOf, TenantParams, ThingWriteQuery } from '../route-schemas.js'

const ENTRY = '/v1/tenants/:tenant/entries/:service'
const write = { params: EntryParams, querystring: ThingWriteQuery, response: answers({ 200: WriteResult }) }

/** `/v1/tenants/:tenant/entries`. */
export function entryRoutes(app: TypedApp, deps: RouteDeps): void {
  readRoutes(app, deps)

  app.put(
    ENTRY,
    { config: { access: 'write' }, schema: { summary: 'Create or replace an entry', ...write, body: EntrySpec } },
    async (request, reply) =>
      commitOne(deps, { op: 'apply-entry', ...request.params, spec: request.body }, { request, reply }),
  )

  app.put(
    `${ENTRY}/mask`,
    { config: { access: 'write' }, schema: { summary: 'Hide an inherited service', ...write } },
    async (request, reply) => commitOne(deps, { op: 'mask-entry', ...request.params }, { request, reply }),
  )

  app.delete(
    ENTRY,
    {
      config: { access: 'write' },
      schema: { summary: 'Delete an entry with its leased instances, or a mask: the base shows through', ...write },
    },
    async (request, reply) => commitOne(deps, { op: 'delete-entry', ...request.params }, { request, reply }),
  )
}

function readRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/v1/tenants/:tenant/entries',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List a tenant’s own entries',
        params: TenantParams,
        response: answers({ 200: listOf({ entries: Type.Array(ServiceEntry) }) }),
      },
    },
    async ({ params }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, params.tenant)
      const entries = [...catalog.entriesOf(params.tenant).values()].map(describeEntry)
      return {
        storeRevision: String(catalog.storeRevision),
        entries: entries.sort((left, right) => (left.service < right.service ? -1 : 1)),
      }
    },
  )

  app.get(
    ENTRY,
    {
      config: { access: 'read' },
      schema: { summary: 'Get a tenant’s own entry', params: EntryParams, response: answers({ 200: ServiceEntry }) },
    },
    async ({ params: { tenant, service } }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, tenant)
      const entry = catalog.entry(tenant, service)
      if (entry !== undefined) return describeEntry(entry)
      throw failure(
        'ENTRY_NOT_FOUND',
        `${tenant} has no entry of its own for ${service}; ask for its view to see what it inherits.`,
        {
          details: { tenant, service },
        },
      )
    },
  )
}
