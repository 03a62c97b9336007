import { DocumentName, Explanation } from '@tributary/contract'
import { Type } from 'typebox'
import { explain } from '../../operations/explain.js'
import { optional } from '../optional.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, InstanceName, strictObject, TenantParams } from '../route-schemas.js'

const ExplainQuery = strictObject({
  service: DocumentName,
  instance: Type.Optional({
    ...InstanceName,
    description: 'as this instance of the service sees it, in a gray release too',
  }),
  path: Type.Optional(
    Type.String({
      maxLength: 1024,
      description: 'JSON Pointer into the merged document; left out: the service itself',
    }),
  ),
})

/** `/v1/tenants/:tenant/explain`. */
export function explainRoutes(app: TypedApp, { context }: RouteDeps): void {
  app.get(
    '/v1/tenants/:tenant/explain',
    {
      config: { access: 'read' },
      schema: {
        summary: 'Why a tenant sees what it sees of a service, or at a path of its document',
        params: TenantParams,
        querystring: ExplainQuery,
        response: answers({ 200: Explanation }),
      },
    },
    async ({ params, query: { service, ...query } }) => explain(context, { ...params, service, ...optional(query) }),
  )
}
