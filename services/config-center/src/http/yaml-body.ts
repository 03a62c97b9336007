import { isObject } from '../domain/merge-patch.js'
import { failure } from '../errors.js'
import { Lexer, parseDocument, Parser, stringify, type ParsedNode, type Document } from 'yaml'

/** Aliases that one body may use: a few lines could otherwise grow without bound. */
const MAX_ALIASES = 100
/** How deep a body may be nested. */
const MAX_DEPTH = 100
/** Of the parser's stack beside what is nested: the document, and a scalar. */
const OTHER_TOKENS = 2
const TOO_DEEP = `it is nested deeper than ${MAX_DEPTH} levels`

/** YAML of a value: members in order of their names, so that equal values are equal text. */
export function toYaml(value: unknown): string {
  return stringify(value, { sortMapEntries: true, lineWidth: 0 })
}

/**
 * Reads a YAML body as JSON. @throws AppError `INVALID_REQUEST` with the line, for what is not YAML, not JSON (`.nan`, `.inf`), more
 * than one document, has a tag, or a member that is refused in JSON bodies too.
 */
export function parseYamlBody(text: string): unknown {
  if (isNestedTooDeeply(text)) throw refused(TOO_DEEP)
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true, stringKeys: true })
  const [problem] = [...document.errors, ...document.warnings]
  if (problem !== undefined) throw refused(problem.message.split('\n')[0] ?? 'it is not YAML')
  const value = toJson(document)
  const reason = refusedPart(value)
  if (reason !== undefined) throw refused(reason)
  return value
}

/**
 * Looks before anything is composed: the composer recurses, and where the stack ends within a regular expression node does not throw,
 * it ends the process.
 */
function isNestedTooDeeply(text: string): boolean {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    // A generator does its work as it is read; the finished documents that it gives are of no use here.
    Array.from(parser.next(lexeme))
    if (parser.stack.length > MAX_DEPTH + OTHER_TOKENS) return true
  }
  return false
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
    if (depth > MAX_DEPTH) return TOO_DEEP
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
