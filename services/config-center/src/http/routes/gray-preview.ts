import { GrayImpact, GrayReleaseSpec, SchemaMode } from '@tributary/contract'
import { Type } from 'typebox'
import { previewGrayRelease } from '../../operations/preview-gray-release.js'
import type { TypedApp } from '../route-deps.js'
import { answers, EntryParams, strictObject } from '../route-schemas.js'
import { liveSubscriptions, type ImpactDeps } from './impact.js'

const schema = {
  summary: 'Try a gray release: what its members would get, and who they would be, without beginning it',
  description: 'Give the write the `draw` of this answer, and it reaches exactly those that are named here.',
  params: EntryParams,
  querystring: strictObject({ schema: Type.Optional(SchemaMode) }),
  body: GrayReleaseSpec,
  response: answers({ 200: GrayImpact }),
}

/** `POST /v1/tenants/:tenant/gray-releases/:service/preview`. */
export function grayPreviewRoute(app: TypedApp, { context, streaming }: ImpactDeps): void {
  app.post(
    '/v1/tenants/:tenant/gray-releases/:service/preview',
    { schema, config: { access: 'read' } },
    async ({ params, query, body }) => {
      const subscriptions = await liveSubscriptions(streaming)
      return previewGrayRelease(context, body, { ...params, schemaMode: query.schema ?? 'own', subscriptions })
    },
  )
}
