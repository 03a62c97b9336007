import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import type { TLocalizedValidationError } from 'typebox/error'
import { isObject } from '../domain/merge-patch.js'
import { parsePointer, valueAt } from '../domain/json-pointer.js'
import { jsonType } from '../domain/json-type.js'

/** One broken rule: where, what was there (a JSON type, never the value: it may be a secret), and the rule. */
export interface Violation {
  /** JSON Pointer; empty for the whole. */
  readonly field: string
  readonly type: string
  readonly rule: string
}

/** What a value breaks in a schema; empty when nothing. Of a union only the variant that was meant is reported. */
export function schemaViolations(schema: TSchema, value: unknown, at = ''): Violation[] {
  const errors = Value.Errors(schema, value)
  const union = errors.find((error) => error.schemaPath.includes('/anyOf/'))
  const plain = errors.filter((error) => error.keyword !== 'boolean' && !/anyOf/.test(error.keyword + error.schemaPath))
  const reported = plain.flatMap((error) => describeError(error, value, at))
  return union === undefined ? reported : [...reported, ...unionViolations(brokenUnion(schema, value, union), at)]
}

function describeError(error: TLocalizedValidationError, value: unknown, at: string): Violation[] {
  const field = `${at}${error.instancePath}`
  const found = valueAt(value, parsePointer(error.instancePath))
  if (error.keyword === 'additionalProperties') {
    const owner = isObject(found) ? found : {}
    return error.params.additionalProperties.map((name) => ({
      field: `${field}/${name}`,
      type: jsonType(owner[name]),
      rule: 'is not a known field',
    }))
  }
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((name) => ({
      field: `${field}/${name}`,
      type: 'absent',
      rule: 'is required',
    }))
  }
  return [{ field, type: jsonType(found), rule: ruleOf(error) }]
}

function ruleOf(error: TLocalizedValidationError): string {
  if (error.keyword === 'pattern') return `must match ${String(error.params.pattern)}`
  if (error.keyword === 'enum') return `must be one of ${error.params.allowedValues.map(String).join(', ')}`
  if (error.keyword === 'const') return `must be ${JSON.stringify(error.params.allowedValue)}`
  return error.message
}

/** A union that a value does not match: where it is, what it allows, what was there. */
interface BrokenUnion {
  readonly path: string
  readonly variants: readonly TSchema[]
  readonly found: unknown
}

function unionViolations({ path, variants, found }: BrokenUnion, at: string): Violation[] {
  const field = `${at}${path}`
  const meant = variants.find((variant) => isMeant(variant, found))
  if (meant !== undefined) return schemaViolations(meant, found, field)
  const discriminants = variants.flatMap((variant) => discriminantsOf(variant))
  const name = discriminants[0]?.name
  if (isObject(found) && name !== undefined) {
    const rule = `must be one of ${discriminants.map((item) => String(item.value)).join(', ')}`
    return [{ field: `${field}/${name}`, type: jsonType(found[name]), rule }]
  }
  return [{ field, type: jsonType(found), rule: `must be ${variants.map(describeVariant).join(' or ')}` }]
}

function brokenUnion(schema: TSchema, value: unknown, error: TLocalizedValidationError): BrokenUnion {
  const schemaPath = error.schemaPath.slice(1, error.schemaPath.indexOf('/anyOf/'))
  // A branch's error may lie deeper in the value than its union: as deep as the union's own schema path says.
  const depth = schemaPath.split('/').filter((step, index, all) => isStep(step, all[index - 1])).length
  const path = error.instancePath
    .split('/')
    .slice(0, depth + 1)
    .join('/')
  const variants = variantsOf(valueAt(schema, parsePointer(schemaPath)))
  return { path, variants, found: valueAt(value, parsePointer(path)) }
}

// Below `properties` a name is one step into the value, and `items` is one into an array.
function isStep(step: string, previous: string | undefined): boolean {
  return previous === 'properties' || (step === 'items' && previous !== 'properties')
}

interface Discriminant {
  readonly name: string
  readonly value: unknown
}

function discriminantsOf(variant: TSchema): Discriminant[] {
  const properties = valueAt(variant, ['properties'])
  if (!isObject(properties)) return []
  return Object.entries(properties).flatMap(([name, schema]) => {
    const value = valueAt(schema, ['const'])
    return value === undefined ? [] : [{ name, value }]
  })
}

function isMeant(variant: TSchema, value: unknown): boolean {
  const discriminants = discriminantsOf(variant)
  return discriminants.length > 0 && discriminants.every((item) => valueAt(value, [item.name]) === item.value)
}

function describeVariant(variant: TSchema): string {
  const literal = valueAt(variant, ['const'])
  if (literal !== undefined) return JSON.stringify(literal)
  const [type, pattern] = [valueAt(variant, ['type']), valueAt(variant, ['pattern'])]
  return `${String(type)}${typeof pattern === 'string' ? ` matching ${pattern}` : ''}`
}

function variantsOf(union: unknown): TSchema[] {
  const variants = valueAt(union, ['anyOf'])
  return Array.isArray(variants) ? variants.filter(isObject) : []
}
