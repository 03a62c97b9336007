import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml'
import type { Problem } from './problem.js'
import { isNestedTooDeeply, MAX_YAML_NESTING } from './yaml-nesting.js'

/** The largest definition or configuration file that is read. */
export const MAX_YAML_BYTES = 256 * 1024
/** How often aliases may be expanded in one document: enough for honest reuse, far below a bomb. */
const MAX_ALIASES = 100
const MAX_DOCUMENTS = 100

/** Steps from a document's root to a value. */
export type YamlPath = readonly (string | number)[]

/** One document of a file: plain JSON data, and where each part of it stands. */
export interface YamlDocument {
  readonly value: unknown
  /** A problem at the value that `path` names, or at its key; at the nearest existing parent when it is not there. */
  problemAt(path: YamlPath, message: string, at?: 'value' | 'key'): Problem
}

/** A file's documents as far as they could be read; empty documents are left out. */
export interface YamlFile {
  readonly documents: readonly YamlDocument[]
  readonly problems: readonly Problem[]
}

/** Parses YAML of hostile origin: bounded in size, nesting, aliases and documents; keys are unique; only JSON data comes out. */
export function parseYamlFile(file: string, text: string): YamlFile {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
    return { documents: [], problems: [topOf(file, `is larger than ${MAX_YAML_BYTES / 1024} KiB; split it`)] }
  }
  if (isNestedTooDeeply(text)) {
    return { documents: [], problems: [topOf(file, `is nested deeper than ${MAX_YAML_NESTING} levels`)] }
  }
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const list = Array.isArray(parsed) ? parsed : []
  if (list.length > MAX_DOCUMENTS) {
    return { documents: [], problems: [topOf(file, `holds more than ${MAX_DOCUMENTS} documents; split it`)] }
  }
  const results = list.map((document) => readDocument(file, document, lines))
  return {
    documents: results.flatMap((result) =>
      'document' in result && result.document.value !== null ? [result.document] : [],
    ),
    problems: results.flatMap((result) => ('problems' in result ? result.problems : [])),
  }
}

function readDocument(
  file: string,
  source: Document.Parsed,
  lines: LineCounter,
): { readonly document: YamlDocument } | { readonly problems: readonly Problem[] } {
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col), message }
  }
  const faults = [...source.errors, ...source.warnings]
  if (faults.length > 0) return { problems: faults.map((fault) => at(fault.pos[0], readable(fault.message))) }
  try {
    const value: unknown = source.toJS({ maxAliasCount: MAX_ALIASES })
    return {
      document: {
        value,
        problemAt: (path, message, where = 'value') => at(offsetOf(source, path, where), message),
      },
    }
  } catch (error) {
    const start = source.contents?.range[0] ?? 0
    if (error instanceof ReferenceError) return { problems: [at(start, `${error.message}; write the data out`)] }
    throw error
  }
}

function readable(message: string): string {
  return message.startsWith('Map keys must be unique')
    ? 'this key is here twice in the same mapping; remove one'
    : (message.split('\n')[0] ?? message)
}

function offsetOf(source: Document.Parsed, path: YamlPath, where: 'value' | 'key'): number {
  let node: unknown = source.contents
  let offset = source.contents?.range[0] ?? 0
  for (const [index, step] of path.entries()) {
    const found = childOf(source, node, step)
    if (found === undefined) return offset
    const last = index === path.length - 1
    offset =
      (last && where === 'key' ? found.keyOffset : undefined) ?? startOf(found.value) ?? found.keyOffset ?? offset
    node = found.value
  }
  return offset
}

function childOf(
  source: Document.Parsed,
  parent: unknown,
  step: string | number,
): { readonly value: unknown; readonly keyOffset: number | undefined } | undefined {
  const node = isAlias(parent) ? parent.resolve(source) : parent
  if (isSeq(node)) {
    const value = node.items[Number(step)]
    return value === undefined ? undefined : { value, keyOffset: undefined }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step))
  return pair === undefined ? undefined : { value: pair.value, keyOffset: startOf(pair.key) }
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0]
}

function topOf(file: string, message: string): Problem {
  return { file, line: 1, column: 1, message }
}
