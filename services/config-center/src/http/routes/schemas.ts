import { ConfigSchema, JsonSchema, WriteResult } from '@tributary/contract'
import { Type } from 'typebox'
import type { SchemaRecord } from '../../domain/records.js'
import { chainOf, resolveService } from '../../domain/resolve.js'
import { failure } from '../../errors.js'
import { getTenantRecord, readCatalog } from '../../operations/operation-context.js'
import { commitOne } from '../commit-one.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, EntryParams, listOf, TenantParams, ThingWriteQuery } from '../route-schemas.js'

const SCHEMA = '/v1/tenants/:tenant/schemas/:service'
const write = { params: EntryParams, querystring: ThingWriteQuery, response: answers({ 200: WriteResult }) }

/** `/v1/tenants/:tenant/schemas`: by what the config of services is checked (docs/adr/0016). */
export function schemaRoutes(app: TypedApp, deps: RouteDeps): void {
  readRoutes(app, deps)

  app.put(
    SCHEMA,
    {
      config: { access: 'write' },
      schema: { summary: 'Set the schema that goes with a tenant’s own copy of a service', ...write, body: JsonSchema },
    },
    async (request, reply) =>
      commitOne(deps, { op: 'apply-schema', ...request.params, schema: request.body }, { request, reply }),
  )

  app.delete(
    SCHEMA,
    { config: { access: 'write' }, schema: { summary: 'Delete a tenant’s own schema of a service', ...write } },
    async (request, reply) => commitOne(deps, { op: 'delete-schema', ...request.params }, { request, reply }),
  )
}

function readRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/v1/tenants/:tenant/schemas',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List the schemas of a tenant’s own copies',
        params: TenantParams,
        response: answers({ 200: listOf({ schemas: Type.Array(ConfigSchema) }) }),
      },
    },
    async ({ params: { tenant } }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, tenant)
      const schemas = [...catalog.schemasOf(tenant).values()].map((record) => describeSchema(tenant, record))
      return {
        storeRevision: String(catalog.storeRevision),
        schemas: schemas.sort((left, right) => (left.service < right.service ? -1 : 1)),
      }
    },
  )

  app.get(
    SCHEMA,
    {
      config: { access: 'read' },
      schema: {
        summary: 'The schema by which a tenant’s view of a service is checked: that of the copy it sees',
        params: EntryParams,
        response: answers({ 200: ConfigSchema }),
      },
    },
    async ({ params: { tenant, service } }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, tenant)
      const resolved = resolveService(catalog, chainOf(catalog, tenant), service)
      // What is set beside a copy that is not there yet can be read back all the same.
      const record = catalog.schema(resolved?.owner ?? tenant, service)
      if (record !== undefined) return describeSchema(tenant, record)
      const whose = resolved === undefined ? 'nobody’s copy' : `the copy of ${resolved.owner}`
      throw failure('SCHEMA_NOT_FOUND', `${tenant} sees ${whose} of ${service}, for which there is no schema.`, {
        details: { tenant, service, owner: resolved?.owner ?? null },
      })
    },
  )
}

function describeSchema(tenant: string, record: SchemaRecord): ConfigSchema {
  const { service, schema, revision } = record
  return { tenant, service, owner: { tenant: record.tenant }, schema, revision: String(revision) }
}
