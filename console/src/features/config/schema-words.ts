import { isObject } from './leaves.js'

/** A key or a value that may be written at a place, and what the schema says about it. */
export interface SchemaWord {
  readonly text: string
  readonly note: string
  readonly info: string
}

/** The keys that an object at a path (JSON Pointer) may have: those of the schema, then those that the document has by inheritance. */
export function keysAt(schema: unknown, inherited: unknown, path: string): readonly SchemaWord[] {
  const known = propertiesOf(schemaAt(schema, schema, segments(path)))
  const there = valueAt(inherited, segments(path))
  const words = new Map<string, SchemaWord>()
  for (const [name, part] of Object.entries(known)) words.set(name, describe(name, part))
  for (const [name, value] of Object.entries(isObject(there) ? there : {})) {
    if (!words.has(name)) words.set(name, { text: name, note: JSON.stringify(value).slice(0, 40), info: '' })
  }
  return [...words.values()]
}

/** The values that the schema names for a key: its enum, const, examples, default, and true or false. */
export function valuesAt(schema: unknown, path: string): readonly SchemaWord[] {
  const part = schemaAt(schema, schema, segments(path))
  if (!isObject(part)) return []
  const listed = [part['enum'], part['examples']].flatMap((list): readonly unknown[] =>
    Array.isArray(list) ? list : [],
  )
  const single = ['const', 'default'].flatMap((name) => (name in part ? [part[name]] : []))
  const booleans = part['type'] === 'boolean' ? [true, false] : []
  const texts = new Set([...single, ...listed, ...booleans].map((value) => JSON.stringify(value)))
  return [...texts].map((text) => ({ text, note: '', info: '' }))
}

function schemaAt(root: unknown, schema: unknown, [name, ...others]: readonly string[]): unknown {
  const resolved = dereferenced(root, schema)
  if (name === undefined || !isObject(resolved)) return resolved
  const properties = propertiesOf(resolved)
  const next = Object.hasOwn(properties, name)
    ? properties[name]
    : (resolved['items'] ?? resolved['additionalProperties'])
  return schemaAt(root, next, others)
}

/** Follows a `$ref` inside the schema; one that leads in a circle ends after some steps. */
function dereferenced(root: unknown, schema: unknown): unknown {
  let found = schema
  for (let step = 0; step < 8 && isObject(found) && typeof found['$ref'] === 'string'; step += 1) {
    found = valueAt(root, segments(found['$ref'].replace(/^#/, '')))
  }
  return found
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  const properties = isObject(schema) ? schema['properties'] : undefined
  return isObject(properties) ? properties : {}
}

function valueAt(document: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    document,
  )
}

function describe(name: string, part: unknown): SchemaWord {
  if (!isObject(part)) return { text: name, note: '', info: '' }
  const type = Array.isArray(part['type']) ? part['type'].join(' | ') : part['type']
  const description = part['description']
  return {
    text: name,
    note: typeof type === 'string' ? type : '',
    info: typeof description === 'string' ? description : '',
  }
}

function segments(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}
