import { Type, type Static } from 'typebox'
import { Instant, ServiceName, StoreRevisionText, TenantName } from '../names.js'
import { DocumentData } from './documents.js'

const strict = { additionalProperties: false } as const

/** Who gets a gray release first: `instances` by the name that they subscribe with, or a `percent` of all. One of the two. */
const members = {
  instances: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      minItems: 1,
      maxItems: 100,
      uniqueItems: true,
      description: 'names of instances, as subscriptions show them',
    }),
  ),
  percent: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      description: 'share of all instances, by a hash of the name: who is in stays in when the share grows',
    }),
  ),
}

/** A change of a tenant's own document that some instances of the service get before all. `instances` or `percent`, not both. */
export const GrayReleaseSpec = Type.Object(
  {
    patch: { ...DocumentData, description: 'merge patch (RFC 7396) on the tenant’s own document' },
    ...members,
    draw: Type.Optional(
      Type.String({
        minLength: 16,
        maxLength: 64,
        pattern: '^[0-9A-Za-z-]+$',
        description:
          'of a preview: a release that begins with it reaches exactly those that the preview named; default random, and one that is under way keeps its own',
      }),
    ),
  },
  { $id: 'GrayReleaseSpec', additionalProperties: false },
)
export type GrayReleaseSpec = Static<typeof GrayReleaseSpec>

/** A gray release that is under way. A tenant has at most one for each service. */
export const GrayRelease = Type.Object(
  {
    tenant: TenantName,
    service: ServiceName,
    patch: DocumentData,
    ...members,
    actor: Type.String({ description: 'the token that wrote it last' }),
    onBehalfOf: Type.Optional(Type.String()),
    at: Instant,
    revision: StoreRevisionText,
  },
  { $id: 'GrayRelease', ...strict },
)
export type GrayRelease = Static<typeof GrayRelease>
