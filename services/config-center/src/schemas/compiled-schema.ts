import { Ajv, type ErrorObject, type Options } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { JsonSchema } from '@tributary/contract'
import { parsePointer } from '../domain/json-pointer.js'
import type { BrokenRule } from '../domain/schema-check.js'

/** Checks one document; may take as long as the schema makes it. */
export type CompiledSchema = (data: unknown) => readonly BrokenRule[]

/** Most broken rules that are told of one document. */
const MAX_RULES = 100
/** Longest text of allowed values in a message. */
const MAX_ALLOWED_CHARS = 200

const DRAFT_07 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/
const DRAFT_2020 = /^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/

const OPTIONS: Options = {
  // Unknown keywords and formats are notes for people, as the specification has it.
  strict: false,
  validateFormats: false,
  allErrors: true,
  logger: false,
  // References that are inlined can grow a small schema into a large program.
  inlineRefs: false,
  // Without it "required": ["constructor"] would hold for every object.
  ownProperties: true,
  addUsedSchema: false,
}

/**
 * Makes a function of a schema: draft 2020-12, or draft-07 when its `$schema` says so. References lead to the schema itself only; nothing
 * is ever fetched.
 * @throws Error that says what is wrong with the schema.
 */
export function compileSchema(schema: JsonSchema): CompiledSchema {
  if (schema['$async'] === true) throw new Error('$async is not JSON schema')
  const validate = engineOf(schema['$schema']).compile(schema)
  return (data) => {
    if (validate(data) === true) return []
    return rulesOf(validate.errors ?? [])
  }
}

function engineOf(draft: unknown): Ajv {
  if (draft === undefined || (typeof draft === 'string' && DRAFT_2020.test(draft))) return new Ajv2020(OPTIONS)
  if (typeof draft === 'string' && DRAFT_07.test(draft)) return new Ajv(OPTIONS)
  throw new Error('$schema names neither draft 2020-12 (https://json-schema.org/draft/2020-12/schema) nor draft-07')
}

function rulesOf(errors: readonly ErrorObject[]): BrokenRule[] {
  const rules = new Map<string, BrokenRule>()
  for (const error of errors) {
    if (rules.size >= MAX_RULES) break
    // "if" only repeats what its branch has told.
    if (error.keyword === 'if') continue
    const rule = { path: pathOf(error), keyword: error.keyword, rule: textOf(error) }
    rules.set(JSON.stringify(rule), rule)
  }
  return [...rules.values()]
}

/** The member that is missing or too many is the place, not the object around it. */
function pathOf({ instancePath, params }: ErrorObject): readonly string[] {
  const path = parsePointer(instancePath)
  const { missingProperty, additionalProperty, unevaluatedProperty } = params as Readonly<Record<string, unknown>>
  const member = [missingProperty, additionalProperty, unevaluatedProperty].find((name) => typeof name === 'string')
  return typeof member === 'string' ? [...path, member] : path
}

/** Says the rule, from the schema alone: a value may be a secret. */
function textOf({ keyword, params, message = 'breaks a rule' }: ErrorObject): string {
  if (keyword === 'required') return 'is required'
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return 'is not a known member'
  if (keyword === 'enum') return `must be one of ${cut(JSON.stringify(params['allowedValues']))}`
  if (keyword === 'const') return `must be ${cut(JSON.stringify(params['allowedValue']))}`
  return cut(message)
}

function cut(text: string): string {
  return text.length <= MAX_ALLOWED_CHARS ? text : `${text.slice(0, MAX_ALLOWED_CHARS)}…`
}
