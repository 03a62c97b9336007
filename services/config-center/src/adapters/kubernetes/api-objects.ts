import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'

/** The members of `metadata` that matter here; others are passed over. */
const ObjectMeta = Type.Object({
  name: Type.String(),
  labels: Type.Optional(Type.Record(Type.String(), Type.String())),
  resourceVersion: Type.Optional(Type.String()),
})

const TokenReview = Type.Object({
  status: Type.Object({
    authenticated: Type.Optional(Type.Boolean()),
    audiences: Type.Optional(Type.Array(Type.String())),
    user: Type.Optional(
      Type.Object({
        username: Type.Optional(Type.String()),
        extra: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
      }),
    ),
  }),
})

const Namespace = Type.Object({ metadata: ObjectMeta })
const NamespaceList = Type.Object({
  metadata: Type.Object({ resourceVersion: Type.String() }),
  items: Type.Array(Namespace),
})
const WatchEvent = Type.Object({
  type: Type.String(),
  object: Type.Object({ metadata: Type.Optional(Type.Partial(ObjectMeta)), code: Type.Optional(Type.Integer()) }),
})

/** Compiled checks of what the API server answers: it may be newer than this code, but never without these members. */
export const apiObjects = {
  tokenReview: Compile(TokenReview),
  namespace: Compile(Namespace),
  namespaceList: Compile(NamespaceList),
  watchEvent: Compile(WatchEvent),
}

/** `status` of a TokenReview. */
export type TokenReviewStatus = Static<typeof TokenReview>['status']
