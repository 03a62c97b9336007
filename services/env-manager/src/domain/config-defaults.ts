import { canonicalJson } from '@tributary/contract'
import { Errors } from 'typebox/schema'
import { ownMember } from './own-member.js'

type Json = Readonly<Record<string, unknown>>

/**
 * The part of a definition's `config.defaults` that its tenant's own document must hold, as an RFC 7396 patch on what the
 * base tenant registered: only what differs, so that everything else keeps following the base (and what people set there).
 * Without a base the defaults themselves.
 */
export function defaultsOver(base: Json | undefined, defaults: Json): Json {
  if (base === undefined) return defaults
  const patch: Record<string, unknown> = {}
  for (const name of Object.keys(base)) if (!Object.hasOwn(defaults, name)) setMember(patch, name, null)
  for (const [name, value] of Object.entries(defaults)) {
    const below = ownMember(base, name)
    if (below !== undefined && canonicalJson(below) === canonicalJson(value)) continue
    setMember(patch, name, isObject(below) && isObject(value) ? defaultsOver(below, value) : value)
  }
  return patch
}

/**
 * Three-way merge of registered defaults into a document that people may have edited.
 *
 * | previous default | new default | document | result |
 * | --- | --- | --- | --- |
 * | absent | v | absent | v |
 * | absent | v | w | w: a person was first |
 * | u | v or absent | u | v, or removed: nobody touched it |
 * | u | any | w, or removed | stays: a person's edit wins |
 *
 * Objects are merged member by member; anything else is one value.
 */
export function mergeDefaults(sides: { readonly previous: Json; readonly next: Json; readonly current: Json }): Json {
  const { previous, next, current } = sides
  const merged: Record<string, unknown> = {}
  for (const name of new Set([...Object.keys(current), ...Object.keys(next)])) {
    const value = mergeMember(ownMember(previous, name), ownMember(next, name), ownMember(current, name))
    if (value !== undefined) setMember(merged, name, value)
  }
  return merged
}

/** A config schema as a repository has it, or why it is none. */
export function parseConfigSchema(text: string): Json | string {
  try {
    const schema: unknown = JSON.parse(text)
    return isObject(schema) ? schema : 'must be a JSON object'
  } catch {
    return 'is not JSON'
  }
}

/** Where defaults break their JSON schema, one readable line each; a schema that is not one says so. */
export function schemaViolations(schema: Json, defaults: Json): readonly string[] {
  try {
    // Interpreted, not compiled: the schema comes from a repository and must not become code.
    const [, errors] = Errors(schema, defaults)
    return errors.map((error) => `config.defaults${error.instancePath} ${error.message}`)
  } catch (error) {
    return [`is not a usable JSON schema (${error instanceof Error ? error.message : 'unreadable'})`]
  }
}

function mergeMember(previous: unknown, next: unknown, current: unknown): unknown {
  if (isObject(next) && isObject(current) && (previous === undefined || isObject(previous))) {
    return mergeDefaults({ previous: previous ?? {}, next, current })
  }
  if (previous === undefined) return current === undefined ? next : current
  return canonicalJson(current) === canonicalJson(previous) ? next : current
}

function setMember(object: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
