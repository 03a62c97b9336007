import type { EntrySpec } from '@tributary/contract'
import { failure } from '../errors.js'

/** Largest document, as JSON text. A history record holds it before and after, and must fit into one store value (1 MiB). */
export const MAX_DOCUMENT_BYTES = 256 * 1024
/** Deepest nesting of a document; the document itself is level 1. */
export const MAX_DOCUMENT_DEPTH = 64
/** Largest spec of a service entry, as JSON text. */
export const MAX_ENTRY_BYTES = 32 * 1024

/** Largest JSON schema, as JSON text: compiling one costs more than it is long. */
export const MAX_SCHEMA_BYTES = 64 * 1024
/** Deepest nesting of a JSON schema. */
export const MAX_SCHEMA_DEPTH = 32

/** Where a limit is checked, for the message. */
interface Subject {
  readonly tenant: string
  readonly service: string
}

/** @throws AppError `DOCUMENT_TOO_LARGE` when a document, or a patch on one, is too large or too deep. */
export function checkDocument(data: unknown, { tenant, service }: Subject): void {
  // Depth first: JSON.stringify recurses, so it must not see what is too deep.
  if (isDeeperThan(data, MAX_DOCUMENT_DEPTH)) {
    throw failure(
      'DOCUMENT_TOO_LARGE',
      `The document ${service} of ${tenant} is nested deeper than ${MAX_DOCUMENT_DEPTH} levels; flatten it.`,
      { details: { tenant, service, maxDepth: MAX_DOCUMENT_DEPTH } },
    )
  }
  const bytes = jsonBytes(data)
  if (bytes <= MAX_DOCUMENT_BYTES) return
  throw failure(
    'DOCUMENT_TOO_LARGE',
    `The document ${service} of ${tenant} would have ${bytes} bytes, more than ${MAX_DOCUMENT_BYTES}; split it by service.`,
    { details: { tenant, service, bytes, maxBytes: MAX_DOCUMENT_BYTES } },
  )
}

/** @throws AppError `SCHEMA_INVALID` when a schema is too large or too deep. */
export function checkSchemaSize(schema: unknown, { tenant, service }: Subject): void {
  const what = `The schema of ${service} in ${tenant}`
  if (isDeeperThan(schema, MAX_SCHEMA_DEPTH)) {
    throw failure(
      'SCHEMA_INVALID',
      `${what} is nested deeper than ${MAX_SCHEMA_DEPTH} levels; move parts into $defs.`,
      {
        details: { tenant, service, maxDepth: MAX_SCHEMA_DEPTH },
      },
    )
  }
  const bytes = jsonBytes(schema)
  if (bytes <= MAX_SCHEMA_BYTES) return
  throw failure('SCHEMA_INVALID', `${what} has ${bytes} bytes, more than ${MAX_SCHEMA_BYTES}; leave out what it can.`, {
    details: { tenant, service, bytes, maxBytes: MAX_SCHEMA_BYTES },
  })
}

/** @throws AppError `ENTRY_TOO_LARGE` */
export function checkEntry(spec: EntrySpec, { tenant, service }: Subject): void {
  const bytes = jsonBytes(spec)
  if (bytes <= MAX_ENTRY_BYTES) return
  throw failure(
    'ENTRY_TOO_LARGE',
    `The entry ${service} of ${tenant} would have ${bytes} bytes, more than ${MAX_ENTRY_BYTES}; shorten its metadata.`,
    { details: { tenant, service, bytes, maxBytes: MAX_ENTRY_BYTES } },
  )
}

/** Whether arrays and objects are nested deeper than `levels`. Walks level by level, so depth cannot exhaust the stack. */
export function isDeeperThan(value: unknown, levels: number): boolean {
  let level = [value].filter(isContainer)
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= levels) return true
    level = level.flatMap((item) => Object.values(item).filter(isContainer))
  }
  return false
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8')
}
