import { isObject } from '../domain/merge-patch.js'
import { failure } from '../errors.js'
import { EXPORT_FORMAT } from './export-store.js'
import { ContentHash, type PortableEntry } from './portable-entry.js'

/** An export that is known to be whole. */
export interface ParsedExport {
  readonly entries: readonly PortableEntry[]
  readonly contentHash: string
}

/** @throws AppError `EXPORT_DAMAGED`: not an export, cut off, or changed. */
export function parseExport(text: string): ParsedExport {
  const lines = text.trimEnd().split('\n').map(parseLine)
  const [header, ...rest] = lines
  const footer = rest.pop()
  if (header?.['format'] !== EXPORT_FORMAT) throw damaged(`its first line does not say ${EXPORT_FORMAT}`)
  const entries = rest.map(toEntry)
  const content = new ContentHash()
  for (const entry of entries) content.add(entry)
  const contentHash = content.digest()
  if (footer?.['keys'] !== content.keys || footer['contentHash'] !== contentHash) {
    throw damaged('its last line does not agree with the lines before it; it was cut off or changed')
  }
  return { entries, contentHash }
}

function parseLine(line: string, index: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (isObject(value)) return value
  } catch {
    // Told below, with the line.
  }
  throw damaged(`line ${index + 1} is not a JSON object`)
}

function toEntry({ key, value, createRevision }: Record<string, unknown>, index: number): PortableEntry {
  if (typeof key === 'string' && typeof value === 'string' && /^\d+$/.test(String(createRevision))) {
    return { key, value, createRevision: BigInt(String(createRevision)) }
  }
  throw damaged(`line ${index + 2} is not a key with its value and revision`)
}

function damaged(reason: string): Error {
  return failure('EXPORT_DAMAGED', `The export cannot be used, nothing is written: ${reason}.`)
}
