import { Type, type Static } from 'typebox'
import { Instant, StoreRevisionText, TenantName } from '../names.js'
import { GrayRelease } from './gray.js'

/** What a change was of. */
export const ChangedKind = Type.Union([
  Type.Literal('tenant'),
  Type.Literal('entry'),
  Type.Literal('document'),
  Type.Literal('schema'),
  Type.Literal('gray'),
])

/** One thing before and after; null where it was absent. */
export const RecordedChange = Type.Object(
  { kind: ChangedKind, tenant: TenantName, name: Type.String(), before: Type.Unknown(), after: Type.Unknown() },
  { additionalProperties: false },
)
export type RecordedChange = Static<typeof RecordedChange>

/** One write: who, when, why, from which run, and what it changed. `at` is for people; order is `storeRevision`. */
export const HistoryRecord = Type.Object(
  {
    storeRevision: StoreRevisionText,
    at: Instant,
    actor: Type.String({ description: 'the token’s name and role' }),
    onBehalfOf: Type.Optional(Type.String({ description: 'the person for whom the token wrote, as it said' })),
    reason: Type.Optional(Type.String()),
    runId: Type.Optional(Type.String()),
    changes: Type.Array(RecordedChange),
  },
  { $id: 'HistoryRecord', additionalProperties: false },
)
export type HistoryRecord = Static<typeof HistoryRecord>

/** A difference between two states: `before` and `after` are null where the thing is absent. */
export const Difference = Type.Object(
  {
    kind: Type.Union([ChangedKind, Type.Literal('service'), Type.Literal('config')]),
    name: Type.String(),
    path: Type.Optional(Type.String({ description: 'JSON Pointer (RFC 6901) inside a document' })),
    before: Type.Unknown(),
    after: Type.Unknown(),
  },
  { additionalProperties: false },
)
export type Difference = Static<typeof Difference>

/** Brings a tenant's own entries and documents (all, or one document) back to what they were at a revision, as a new write. */
export const RollbackRequest = Type.Object(
  {
    toRevision: StoreRevisionText,
    scope: Type.Optional(
      Type.Union([Type.Literal('documents'), Type.Literal('entries'), Type.Literal('all')], { default: 'documents' }),
    ),
    service: Type.Optional(Type.String({ description: 'only this service’s document or entry' })),
    reason: Type.Optional(Type.String({ maxLength: 512 })),
  },
  { $id: 'RollbackRequest', additionalProperties: false },
)
export type RollbackRequest = Static<typeof RollbackRequest>

/** One layer of an explanation, nearest tenant first. `effective` layers decide the result; others are shadowed by one above. */
export const ExplainLayer = Type.Object(
  {
    tenant: TenantName,
    source: Type.String({ description: 'entry, or the document’s name (service or *)' }),
    revision: StoreRevisionText,
    actor: Type.Optional(Type.String()),
    onBehalfOf: Type.Optional(Type.String({ description: 'the person for whom the actor wrote' })),
    at: Type.Optional(Instant),
    value: Type.Unknown(),
    effect: Type.Union([
      Type.Literal('effective'),
      Type.Literal('merged'),
      Type.Literal('shadowed'),
      Type.Literal('masks'),
      Type.Literal('removes'),
    ]),
    shadowedBy: Type.Optional(Type.String({ description: 'tenant/source of the layer that wins over it' })),
  },
  { additionalProperties: false },
)
export type ExplainLayer = Static<typeof ExplainLayer>

/** Why a tenant sees what it sees for a service, or for one path of its config document. */
export const Explanation = Type.Object(
  {
    tenant: TenantName,
    service: Type.String(),
    path: Type.Optional(Type.String({ description: 'JSON Pointer (RFC 6901)' })),
    storeRevision: StoreRevisionText,
    result: Type.Unknown({ description: 'ResolvedService, or the value at the path; null when there is none' }),
    summary: Type.String({ description: 'one sentence for people' }),
    layers: Type.Array(ExplainLayer),
    gray: Type.Optional({ ...GrayRelease, description: 'under way: some instances see another document' }),
  },
  { $id: 'Explanation', additionalProperties: false },
)
export type Explanation = Static<typeof Explanation>
