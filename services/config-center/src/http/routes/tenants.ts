import { Tenant, TenantSpec, WriteResult } from '@tributary/contract'
import { Type } from 'typebox'
import { describeTenant } from '../../domain/describe.js'
import { getTenantRecord, readCatalog } from '../../operations/operation-context.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import {
  answers,
  listOf,
  preconditionQuery,
  strictObject,
  TenantParams,
  ThingWriteQuery,
  writeQuery,
} from '../route-schemas.js'
import { commitOne } from '../commit-one.js'
import { optional } from '../optional.js'

const DeleteQuery = strictObject({
  ...preconditionQuery,
  ...writeQuery,
  dependents: Type.Optional(
    Type.Union([Type.Literal('refuse'), Type.Literal('reparent')], {
      description: 'tenants that overlay it: refuse (default) or give them its base',
    }),
  ),
})

/** `/v1/tenants` and `/v1/tenants/:tenant`. */
export function tenantRoutes(app: TypedApp, deps: RouteDeps): void {
  readRoutes(app, deps)
  writeRoutes(app, deps)
}

function readRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/v1/tenants',
    {
      config: { access: 'read' },
      schema: { summary: 'List tenants', response: answers({ 200: listOf({ tenants: Type.Array(Tenant) }) }) },
    },
    async () => {
      const catalog = await readCatalog(context)
      const tenants = [...catalog.tenants()].map((record) => describeTenant(catalog, record))
      return {
        storeRevision: String(catalog.storeRevision),
        tenants: tenants.sort((left, right) => (left.name < right.name ? -1 : 1)),
      }
    },
  )

  app.get(
    '/v1/tenants/:tenant',
    {
      config: { access: 'read' },
      schema: { summary: 'Get a tenant', params: TenantParams, response: answers({ 200: Tenant }) },
    },
    async ({ params }) => {
      const catalog = await readCatalog(context)
      return describeTenant(catalog, getTenantRecord(catalog, params.tenant))
    },
  )
}

function writeRoutes(app: TypedApp, deps: RouteDeps): void {
  app.put(
    '/v1/tenants/:tenant',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Create or replace a tenant',
        params: TenantParams,
        querystring: ThingWriteQuery,
        body: TenantSpec,
        response: answers({ 200: WriteResult }),
      },
    },
    async (request, reply) =>
      commitOne(deps, { op: 'apply-tenant', ...request.params, spec: request.body }, { request, reply }),
  )

  app.delete(
    '/v1/tenants/:tenant',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Delete a tenant with its entries, documents and tenant tokens',
        params: TenantParams,
        querystring: DeleteQuery,
        response: answers({ 200: WriteResult }),
      },
    },
    async (request, reply) => {
      const { dependents } = request.query
      return commitOne(
        deps,
        { op: 'delete-tenant', ...request.params, ...optional({ dependents }) },
        { request, reply },
      )
    },
  )
}
