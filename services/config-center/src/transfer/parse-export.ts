import { isSealed, openLines, readSealedLines, type StoreKeys } from '@tributary/store'
import { isObject } from '../domain/merge-patch.js'
import { failure } from '../errors.js'
import { EXPORT_FORMAT } from './export-store.js'
import { ContentHash, type PortableEntry, type TransferSummary } from './portable-entry.js'

/** An export that is known to be whole. */
export interface ParsedExport {
  readonly entries: readonly PortableEntry[]
  readonly contentHash: string
}

/**
 * @param keys that an encrypted export is opened with.
 * @throws AppError `EXPORT_DAMAGED`: not an export, cut off, or changed. `EXPORT_ENCRYPTED`: it is, and no keys are given. `STORE_KEY_UNKNOWN`
 */
export function parseExport(text: string, keys?: StoreKeys): ParsedExport {
  const lines = plainLines(text, keys).map(parseLine)
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

/**
 * What an export holds, as its last line says; proves that it is whole, and that nothing in it was changed by accident. Needs no key.
 * @throws AppError `EXPORT_DAMAGED`
 */
export function summarizeExport(text: string): TransferSummary {
  const sealed = isSealed(text) ? readSealedLines(text) : undefined
  if (isSealed(text) && sealed === undefined) throw damaged('it was cut off or changed')
  if (sealed === undefined) parseExport(text)
  const { keys, leasedKeysLeftOut, contentHash } = parseLine(sealed?.summary ?? lastLineOf(text), 0)
  if (typeof keys !== 'number' || typeof leasedKeysLeftOut !== 'number' || typeof contentHash !== 'string') {
    throw damaged('its last line does not say what it holds')
  }
  return { keys, leasedKeysLeftOut, contentHash }
}

function plainLines(text: string, keys: StoreKeys | undefined): readonly string[] {
  if (!isSealed(text)) return text.trimEnd().split('\n')
  const sealed = readSealedLines(text)
  if (sealed === undefined) throw damaged('it was cut off or changed')
  if (keys === undefined) {
    throw failure(
      'EXPORT_ENCRYPTED',
      'The export is encrypted, nothing is written: name the key file of the store that it is from.',
    )
  }
  const lines = openLines(sealed, keys)
  if (lines === undefined) throw damaged('it was changed')
  return lines
}

function lastLineOf(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
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
