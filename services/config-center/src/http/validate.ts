import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { failure } from '../errors.js'
import { schemaViolations } from './schema-violations.js'

/** At most this many broken rules are told at once. */
const MAX_VIOLATIONS = 10

/**
 * Validates requests by their TypeBox schemas. Strict: an unknown field is an error, never dropped. Only queries are converted from
 * text; a body's `"5"` is not a number. Defaults are filled in.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'request' }) => {
  const validator = Compile(schema)
  return (value: unknown) => {
    const filled = Value.Default(schema, httpPart === 'querystring' ? Value.Convert(schema, value) : value)
    return validator.Check(filled) ? { value: filled } : { error: invalidRequest(schema, filled, httpPart) }
  }
}

function invalidRequest(schema: TSchema, value: unknown, httpPart: string): Error {
  const violations = schemaViolations(schema, value).slice(0, MAX_VIOLATIONS)
  const [first] = violations
  const where = first === undefined ? httpPart : `${httpPart}${first.field}`
  const what = first === undefined ? 'breaks its schema' : `${first.rule} (it is ${first.type})`
  return failure('INVALID_REQUEST', `The request was refused, nothing is stored: ${where} ${what}.`, {
    details: { in: httpPart, violations },
  })
}
