import { SchemaMode, TenantConfig, WriteImpact, WriteResult } from '@tributary/contract'
import { Type } from 'typebox'
import { previewEdits } from '../../operations/check-impact.js'
import { exportConfig, importConfig, importEdits } from '../../operations/import-config.js'
import { readCatalog } from '../../operations/operation-context.js'
import type { TypedApp } from '../route-deps.js'
import { answers, strictObject, TenantParams, writeQuery } from '../route-schemas.js'
import { noteOf, writeAnswer } from '../write-answer.js'
import { toYaml } from '../yaml-body.js'
import { liveSubscriptions, type ImpactDeps } from './impact.js'

const YAML = 'application/yaml'
const consumes = [YAML, 'application/json']

const exportSchema = {
  summary: 'A tenant’s own documents as a file, YAML by default',
  params: TenantParams,
  querystring: strictObject({
    format: Type.Optional(Type.Union([Type.Literal('yaml'), Type.Literal('json')])),
  }),
  response: answers({
    200: { content: { [YAML]: { schema: Type.String() }, 'application/json': { schema: TenantConfig } } },
  }),
}

const prune = Type.Optional(Type.Boolean({ description: 'also delete the documents that the file does not name' }))

/** `/v1/tenants/:tenant/export` and `/import`: config in files. */
export function portableConfigRoutes(app: TypedApp, deps: ImpactDeps): void {
  const { context } = deps
  app.get(
    '/v1/tenants/:tenant/export',
    { config: { access: 'read' }, schema: exportSchema },
    async (request, reply) => {
      const config = await exportConfig(context, request.params.tenant)
      const { format = 'yaml' } = request.query
      const type = format === 'yaml' ? YAML : 'application/json'
      const text = format === 'yaml' ? toYaml(config) : JSON.stringify(config)
      return reply.code(200).type(`${type}; charset=utf-8`).serializer(String).send(text)
    },
  )

  importRoute(app, deps)

  app.post(
    '/v1/tenants/:tenant/import/preview',
    {
      config: { access: 'read' },
      schema: {
        summary: 'What an import would do, without doing it',
        params: TenantParams,
        querystring: strictObject({ prune, schema: Type.Optional(SchemaMode) }),
        consumes,
        body: TenantConfig,
        response: answers({ 200: WriteImpact }),
      },
    },
    async ({ params, body, query }) => {
      const subscriptions = await liveSubscriptions(deps.streaming)
      const edits = importEdits(await readCatalog(context), {
        ...params,
        documents: body.documents,
        prune: query.prune ?? false,
      })
      return previewEdits(context, edits, { schemaMode: query.schema ?? 'own', subscriptions })
    },
  )
}

function importRoute(app: TypedApp, { context, convergence }: ImpactDeps): void {
  app.put(
    '/v1/tenants/:tenant/import',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Make a tenant’s documents what a file says, in one write or not at all',
        params: TenantParams,
        querystring: strictObject({ ...writeQuery, prune }),
        consumes,
        body: TenantConfig,
        response: answers({ 200: WriteResult }),
      },
    },
    async ({ params, body, query, principal }, reply) => {
      const commit = await importConfig(context, {
        ...params,
        documents: body.documents,
        prune: query.prune ?? false,
        principal,
        note: noteOf(query),
        schemaMode: query.schema,
      })
      return writeAnswer(convergence, commit, { waitMs: query.waitMs, reply })
    },
  )
}
