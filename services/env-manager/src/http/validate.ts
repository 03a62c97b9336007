import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { Value } from 'typebox/value'
import { failure } from '../errors.js'

const MAX_VIOLATIONS = 10

/** Validates requests strictly: an unknown field is an error, never dropped; only queries are converted from text; defaults are filled in. */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart = 'request' }) => {
  const validator = Compile(schema)
  return (value: unknown) => {
    const filled = Value.Default(schema, httpPart === 'querystring' ? Value.Convert(schema, value) : value)
    return validator.Check(filled) ? { value: filled } : { error: refusal(schema, filled, httpPart) }
  }
}

/** Says where and which rule; never the value, which may be a secret. */
function refusal(schema: TSchema, value: unknown, httpPart: string): Error {
  const violations = Value.Errors(schema, value)
    .filter((error) => error.keyword !== 'boolean')
    .slice(0, MAX_VIOLATIONS)
    .map((error) => ({ field: error.instancePath, rule: ruleOf(error) }))
  const [first] = violations
  const where = `${httpPart}${first?.field ?? ''}`
  return failure(
    'ARGUMENT_INVALID',
    `The request was refused, nothing is changed: ${where} ${first?.rule ?? 'is wrong'}`,
    {
      details: { in: httpPart, violations },
    },
  )
}

function ruleOf(error: { readonly message: string; readonly params: object }): string {
  const names = Object.values(error.params).flatMap((value: unknown) => (Array.isArray(value) ? value.map(String) : []))
  return names.length === 0 ? error.message : `${error.message}: ${names.join(', ')}`
}
