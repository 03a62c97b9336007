import { createRequire } from 'node:module'
import type { Static, TSchema } from 'typebox'
import type * as typeboxCompile from 'typebox/compile'

/** The result of checking a value: the value under its type, or the first thing that is wrong with it. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

/** Checks a value against a schema. */
export type ValueCheck<T> = (value: unknown) => Checked<T>

/** Schemas that are remembered by their content. */
const MAX_REMEMBERED = 500

const byIdentity = new WeakMap<TSchema, ValueCheck<unknown>>()
const byContent = new Map<string, ValueCheck<unknown>>()

/**
 * The compiled check of a schema. Equal schemas share it, so that `get('a', Type.Integer())` written in a hot function does not
 * compile at each call. Nothing is converted and no default is filled in.
 */
export function checkOf<T extends TSchema>(schema: T): ValueCheck<Static<T>> {
  const known = byIdentity.get(schema) ?? findByContent(schema)
  byIdentity.set(schema, known)
  // The maps' value type cannot depend on their key; each entry was compiled from this schema or an equal one.
  return known as ValueCheck<Static<T>>
}

let loaded: typeof typeboxCompile | undefined

/** Loading it takes longer than all the rest of the SDK, and a program that reads no value under a schema never needs it. */
function compiler(): typeof typeboxCompile {
  loaded ??= createRequire(import.meta.url)('typebox/compile') as typeof typeboxCompile
  return loaded
}

function findByContent(schema: TSchema): ValueCheck<unknown> {
  // A refinement is a function, which the JSON text of a schema does not show: such schemas are told apart by identity only.
  if (holdsFunction(schema)) return compileCheck(schema)
  const content = JSON.stringify(schema)
  const known = byContent.get(content)
  if (known !== undefined) return known
  const check = compileCheck(schema)
  if (byContent.size < MAX_REMEMBERED) byContent.set(content, check)
  return check
}

function holdsFunction(value: unknown): boolean {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  return Object.values(Object.getOwnPropertyDescriptors(value)).some((property) => holdsFunction(property.value))
}

function compileCheck<T extends TSchema>(schema: T): ValueCheck<Static<T>> {
  const validator = compiler().Compile(schema)
  return (value) => {
    // Check() narrows to the encoded type, which for a schema without codecs is its static type.
    if (validator.Check(value)) return { ok: true, value }
    const [first] = validator.Errors(value)
    const where = first === undefined || first.instancePath === '' ? '' : ` at ${first.instancePath}`
    return { ok: false, problem: `${first?.message ?? 'does not fit the schema'}${where}` }
  }
}
