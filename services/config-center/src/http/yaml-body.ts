import { isObject } from '../domain/merge-patch.js'
import { failure } from '../errors.js'
import { parseDocument, stringify, type ParsedNode, type Document } from 'yaml'

/** Aliases that one body may use: a few lines could otherwise grow without bound. */
const MAX_ALIASES = 100

/** YAML of a value: members in order of their names, so that equal values are equal text. */
export function toYaml(value: unknown): string {
  return stringify(value, { sortMapEntries: true, lineWidth: 0 })
}

/**
 * Reads a YAML body as JSON. @throws AppError `INVALID_REQUEST` with the line, for what is not YAML, not JSON (`.nan`, `.inf`), more
 * than one document, has a tag, or a member that is refused in JSON bodies too.
 */
export function parseYamlBody(text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true, stringKeys: true })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw refused(problem.message.split('\n')[0] ?? 'it is not YAML')
  const value = toJson(document)
  const reason = refusedPart(value)
  if (reason !== undefined) throw refused(reason)
  return value
}

function toJson(document: Document<ParsedNode>): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    throw refused(error instanceof Error ? error.message : 'it cannot be read')
  }
}

/** Walks level by level, so that depth cannot exhaust the stack. */
function refusedPart(root: unknown): string | undefined {
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`
    for (const value of level) {
      if (typeof value === 'number' && !Number.isFinite(value)) return 'JSON has no .nan and .inf'
      if (typeof value === 'bigint') return 'a whole number is too large for JSON'
      if (isObject(value) && isPrototype(value))
        return 'a member "__proto__", or "constructor" with "prototype" in it, is refused'
    }
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []))
  }
  return undefined
}

const MAX_DEPTH = 100

function isPrototype(value: Readonly<Record<string, unknown>>): boolean {
  if (Object.hasOwn(value, '__proto__')) return true
  const constructor = Object.hasOwn(value, 'constructor') ? value['constructor'] : undefined
  return isObject(constructor) && Object.hasOwn(constructor, 'prototype')
}

function refused(reason: string): Error {
  return failure(
    'INVALID_REQUEST',
    `The request was refused, nothing is stored: its body is not YAML that can be used: ${reason}.`,
    {
      details: { in: 'body', reason },
    },
  )
}
