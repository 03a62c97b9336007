import { Type, type Static } from 'typebox'

/** Answer of a request for a state, e.g. that an environment sleeps: it is being brought about, or it was wanted already. */
export const StateRequested = Type.Object(
  {
    accepted: Type.Literal(true),
    changed: Type.Boolean({ description: 'false: this state was wanted already, so nothing is done for it' }),
  },
  { $id: 'StateRequested', additionalProperties: false },
)
export type StateRequested = Static<typeof StateRequested>
