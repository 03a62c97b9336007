import { Type, type Static } from 'typebox'

/** The body of every answer with a status of 400 or more. */
export const ErrorBody = Type.Object(
  {
    error: Type.Object({
      kind: Type.String({ description: 'one of the closed set of kinds' }),
      code: Type.String({ description: 'stable code from the service’s error catalogue' }),
      message: Type.String(),
      retryable: Type.Boolean(),
      details: Type.Record(Type.String(), Type.Unknown()),
    }),
  },
  { $id: 'ErrorBody', additionalProperties: false },
)
export type ErrorBody = Static<typeof ErrorBody>
