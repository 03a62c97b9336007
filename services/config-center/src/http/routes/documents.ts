import { ConfigDocument, DocumentData, WriteResult } from '@tributary/contract'
import { Type } from 'typebox'
import { describeDocument } from '../../domain/describe.js'
import { failure } from '../../errors.js'
import { getTenantRecord, readCatalog } from '../../operations/operation-context.js'
import { commitOne } from '../commit-one.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, DocumentParams, listOf, TenantParams, ThingWriteQuery } from '../route-schemas.js'

const DOCUMENT = '/v1/tenants/:tenant/documents/:service'
const write = { params: DocumentParams, querystring: ThingWriteQuery, response: answers({ 200: WriteResult }) }

/** `/v1/tenants/:tenant/documents`. The name `*` is the tenant-wide document. */
export function documentRoutes(app: TypedApp, deps: RouteDeps): void {
  readRoutes(app, deps)

  app.put(
    DOCUMENT,
    {
      config: { access: 'write' },
      schema: {
        summary: 'Create or replace a document; null members remove what is inherited',
        ...write,
        body: DocumentData,
      },
    },
    async (request, reply) =>
      commitOne(deps, { op: 'apply-document', ...request.params, data: request.body }, { request, reply }),
  )

  app.patch(
    DOCUMENT,
    {
      config: { access: 'write' },
      schema: {
        summary: 'Patch a tenant’s own document (RFC 7396); null members remove them from it',
        ...write,
        consumes: ['application/json', 'application/merge-patch+json'],
        body: DocumentData,
      },
    },
    async (request, reply) =>
      commitOne(deps, { op: 'patch-document', ...request.params, patch: request.body }, { request, reply }),
  )

  app.delete(
    DOCUMENT,
    { config: { access: 'write' }, schema: { summary: 'Delete a tenant’s own document', ...write } },
    async (request, reply) => commitOne(deps, { op: 'delete-document', ...request.params }, { request, reply }),
  )
}

function readRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/v1/tenants/:tenant/documents',
    {
      config: { access: 'read' },
      schema: {
        summary: 'List a tenant’s own documents',
        params: TenantParams,
        response: answers({ 200: listOf({ documents: Type.Array(ConfigDocument) }) }),
      },
    },
    async ({ params }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, params.tenant)
      const documents = [...catalog.documentsOf(params.tenant).values()].map(describeDocument)
      return {
        storeRevision: String(catalog.storeRevision),
        documents: documents.sort((left, right) => (left.service < right.service ? -1 : 1)),
      }
    },
  )

  app.get(
    DOCUMENT,
    {
      config: { access: 'read' },
      schema: {
        summary: 'Get a tenant’s own document',
        params: DocumentParams,
        response: answers({ 200: ConfigDocument }),
      },
    },
    async ({ params: { tenant, service } }) => {
      const catalog = await readCatalog(context)
      getTenantRecord(catalog, tenant)
      const document = catalog.document(tenant, service)
      if (document !== undefined) return describeDocument(document)
      throw failure(
        'DOCUMENT_NOT_FOUND',
        `${tenant} has no document of its own for ${service}; ask for its view to see what it inherits.`,
        { details: { tenant, service } },
      )
    },
  )
}
