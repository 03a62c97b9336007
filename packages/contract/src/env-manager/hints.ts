import { Type, type Static } from 'typebox'

/** "Something changed, look sooner." Its content is never believed: it only names what to look at. */
export const GitHint = Type.Object(
  {
    repository: Type.Optional(Type.String({ maxLength: 255, description: 'configured name; default: all' })),
    branch: Type.Optional(Type.String({ maxLength: 255 })),
  },
  { $id: 'GitHint', additionalProperties: false },
)
export type GitHint = Static<typeof GitHint>

/** Answer of a hint: it will be looked at. */
export const HintAccepted = Type.Object(
  { accepted: Type.Literal(true) },
  { $id: 'HintAccepted', additionalProperties: false },
)
export type HintAccepted = Static<typeof HintAccepted>
