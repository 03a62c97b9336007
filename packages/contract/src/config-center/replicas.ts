import { Type, type Static } from 'typebox'
import { Instant, StoreRevisionText } from '../names.js'

const strict = { additionalProperties: false } as const

/**
 * | state | meaning |
 * | --- | --- |
 * | ready | it follows the store |
 * | stale | it has lost the store, serves what it had, and goes on trying |
 * | unreachable | it is registered, and does not answer the replica that was asked: it is gone, or the way between the two is |
 */
export const REPLICA_STATES = ['ready', 'stale', 'unreachable'] as const
export type ReplicaState = (typeof REPLICA_STATES)[number]

/** One replica of the config center, as it says itself; null where it does not answer. */
export const Replica = Type.Object(
  {
    replicaId: Type.String(),
    url: Type.Union([Type.String(), Type.Null()], {
      description: 'where the other replicas reach it; null: it is the only one',
    }),
    answering: Type.Boolean({ description: 'it is the one that gave this answer' }),
    state: Type.Enum(REPLICA_STATES),
    since: Type.Union([Instant, Type.Null()], { description: 'when it lost the store; null: it has not' }),
    storeRevision: Type.Union([StoreRevisionText, Type.Null()], { description: 'that it serves' }),
    behind: Type.Union([StoreRevisionText, Type.Null()], {
      description: 'revisions that the store was ahead of it; null also when the store does not answer',
    }),
    subscribers: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], { description: 'live streams that it holds' }),
  },
  strict,
)
export type Replica = Static<typeof Replica>

/** The replicas of the config center on one store, the one that answers first, then by id. */
export const ReplicaList = Type.Object(
  {
    storeRevision: Type.Union([StoreRevisionText, Type.Null()], {
      description: 'the store’s own, asked before the replicas; null: it does not answer',
    }),
    replicas: Type.Array(Replica),
  },
  { $id: 'ReplicaList', additionalProperties: false },
)
export type ReplicaList = Static<typeof ReplicaList>
