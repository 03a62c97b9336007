import { createHash } from 'node:crypto'
import { isAppError } from '@tributary/kit'
import { DataKeys, newRecord, parseRecord } from './data-keys.js'
import type { StoreKeys } from './store-keys.js'

const FORMAT = 'tributary-sealed/1'

/** Encrypted lines that are whole; nothing of them can be read without the key. */
export interface SealedLines {
  /** The data key, under a key of the operator. */
  readonly record: string
  readonly lines: readonly string[]
  /** The last line, in plain. */
  readonly summary: string
}

/**
 * Encrypts lines, each bound to its place, under a data key of their own that the first line holds, itself under the newest of `keys`. The last line has the
 * number and hash of the others, so that whoever has no key can tell that they are whole, and the last of the given lines in plain.
 */
export async function* sealLines(lines: AsyncIterable<string>, keys: StoreKeys): AsyncGenerator<string> {
  const record = newRecord(keys)
  const dataKeys = new DataKeys(record, keys)
  const hash = createHash('sha256')
  let [count, summary] = [0, '']
  yield JSON.stringify({ format: FORMAT, record: JSON.stringify(record) })
  for await (const line of lines) {
    const sealed = dataKeys.seal(placeOf(count), line).toString('base64url')
    hash.update(sealed)
    yield JSON.stringify({ sealed })
    ;[count, summary] = [count + 1, line]
  }
  yield JSON.stringify({ lines: count, hash: hash.digest('hex'), summary })
}

/** Whether text begins as {@link sealLines} does. */
export function isSealed(text: string): boolean {
  return member(text.split('\n', 1)[0] ?? '', 'format') === FORMAT
}

/** What {@link sealLines} has written; undefined: it was cut off, or changed. Needs no key. */
export function readSealedLines(text: string): SealedLines | undefined {
  const all = text.trimEnd().split('\n')
  const [header = '', footer = ''] = [all.shift(), all.pop()]
  const lines = all.map((line) => member(line, 'sealed') ?? '')
  const hash = createHash('sha256')
  for (const line of lines) hash.update(line)
  const isWhole = member(footer, 'hash') === hash.digest('hex') && member(footer, 'lines') === String(lines.length)
  const [record, summary] = [member(header, 'record'), member(footer, 'summary')]
  return isWhole && isSealed(text) && record !== undefined && summary !== undefined
    ? { record, lines, summary }
    : undefined
}

/**
 * The lines in plain; undefined: they were changed, or are not in their order.
 * @throws AppError `STORE_KEY_UNKNOWN`
 */
export function openLines({ record, lines }: SealedLines, keys: StoreKeys): readonly string[] | undefined {
  try {
    const dataKeys = new DataKeys(parseRecord(record), keys)
    return lines.map((line, index) => dataKeys.open(placeOf(index), Buffer.from(line, 'base64url')))
  } catch (error) {
    if (isAppError(error, 'STORE_CORRUPT')) return undefined
    throw error
  }
}

function placeOf(index: number): string {
  return `line ${index}`
}

/** A member of an object that is written in a line, as text; undefined when there is none. */
function member(line: string, name: string): string | undefined {
  try {
    const value: unknown = JSON.parse(line)
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
    return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined
  } catch {
    return undefined
  }
}
