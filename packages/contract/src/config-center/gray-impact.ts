import { Type, type Static } from 'typebox'
import { StoreRevisionText } from '../names.js'
import { PathImpact } from './impact.js'
import { SchemaViolation } from './schemas.js'

const strict = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0 })

/** Most instances that a preview names. */
export const MAX_TOLD_INSTANCES = 500

/** What a gray release would bring to whom, tried on the state at `storeRevision`. */
export const GrayImpact = Type.Object(
  {
    storeRevision: StoreRevisionText,
    draw: Type.String({ description: 'for the write: it then reaches exactly those that are named here' }),
    underWay: Type.Boolean({ description: 'there is one already, which the write would change' }),
    paths: Type.Array(PathImpact, {
      description: 'where what members get differs from what all others see; the first 50',
    }),
    pathCount: Count,
    reach: Type.Union(
      [
        Type.Object(
          {
            members: Type.Integer({ minimum: 0, description: 'live subscribers that would get it' }),
            instances: Type.Array(Type.String(), { description: 'their names; the first 500' }),
            others: Type.Integer({
              minimum: 0,
              description: 'live subscribers of the same service here that would not',
            }),
            nameless: Type.Integer({ minimum: 0, description: 'of the others, those that subscribe without a name' }),
            overlaying: Type.Integer({
              minimum: 0,
              description: 'live subscribers of tenants that overlay this one: none gets it before it is promoted',
            }),
            overlayingTenants: Count,
          },
          strict,
        ),
        Type.Null(),
      ],
      { description: 'null: a replica did not say who its subscribers are' },
    ),
    violations: Type.Array(SchemaViolation, { description: 'that its promotion would bring about' }),
    refused: Type.Boolean({
      description: 'the write would be answered 422 SCHEMA_VIOLATION unless it says schema=warn',
    }),
  },
  { $id: 'GrayImpact', additionalProperties: false },
)
export type GrayImpact = Static<typeof GrayImpact>
