import { hkdfSync, randomBytes } from 'node:crypto'
import { chmodSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { storeError } from '../errors.js'

/** A key of an operator: it encrypts data keys, never values. */
export interface StoreKey {
  /** Follows from the key, so that a wrong key is told from a damaged value; it says nothing about the key. */
  readonly id: string
  readonly secret: Buffer
}

/** The keys of a key file. The newest is the first line; the others are there for what was encrypted before. */
export interface StoreKeys {
  readonly newest: StoreKey
  readonly byId: ReadonlyMap<string, StoreKey>
}

/** Says the keys; asked again when a key is met that was not there before. @throws AppError `STORE_KEY_INVALID` */
export type StoreKeySource = () => StoreKeys

const KEY_BYTES = 32
const ID_BYTES = 8
const KEY_SHAPE = /^[A-Za-z0-9_-]{43}$/
/** Group may read: a Kubernetes Secret is mounted for a group. Nobody else may, and the group may not write. */
const FORBIDDEN_MODE = 0o027

/** The keys in the text of a key file: a key a line, newest first; empty lines and those that begin with `#` do not count. Undefined: it is none. */
export function parseStoreKeys(text: string): StoreKeys | undefined {
  const lines = text.split('\n').map((line) => line.trim())
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map(parseKey)
  const [newest] = keys
  if (newest === undefined || keys.includes(undefined)) return undefined
  return { newest, byId: new Map(keys.flatMap((key) => (key === undefined ? [] : [[key.id, key] as const]))) }
}

/**
 * Reads a key file, which only its owner (and group) may read.
 * @throws AppError `STORE_KEY_INVALID`
 */
export function readStoreKeys(path: string): StoreKeys {
  const text = readPrivately(path)
  const keys = parseStoreKeys(text)
  if (keys !== undefined) return keys
  throw invalid(path, 'it holds no keys, which are lines of 32 bytes in base64url; `tributary store new-key` makes one')
}

/**
 * Puts a new key in front of a key file, or makes the file, for its owner only. It has its name only when it is whole.
 * @throws AppError `STORE_KEY_INVALID`: what is there is no key file.
 */
export function addStoreKey(path: string): StoreKey {
  const before = exists(path) ? readPrivately(path) : ''
  if (before !== '' && parseStoreKeys(before) === undefined)
    throw invalid(path, 'it is there already and holds no keys; name another file')
  const text = randomBytes(KEY_BYTES).toString('base64url')
  const partial = `${path}.partial`
  try {
    writeFileSync(partial, `${text}\n${before}`, { mode: 0o600, flush: true })
    chmodSync(partial, 0o600)
    renameSync(partial, path)
  } catch (error) {
    throw invalid(path, `it cannot be written${reasonOf(error)}`)
  }
  return keyOf(text)
}

function parseKey(text: string): StoreKey | undefined {
  return KEY_SHAPE.test(text) ? keyOf(text) : undefined
}

function keyOf(text: string): StoreKey {
  const secret = Buffer.from(text, 'base64url')
  const id = Buffer.from(hkdfSync('sha256', secret, '', 'id of a tributary store key', ID_BYTES)).toString('hex')
  return { id, secret }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function readPrivately(path: string): string {
  try {
    const { mode } = statSync(path)
    if ((mode & FORBIDDEN_MODE) === 0) return readFileSync(path, 'utf8')
  } catch (error) {
    throw invalid(
      path,
      `it cannot be read${reasonOf(error)}; name the file, or make one by \`tributary store new-key\``,
    )
  }
  throw invalid(path, 'others than its owner may use it; let nobody else do so (chmod 600)')
}

function invalid(path: string, why: string): Error {
  return storeError('STORE_KEY_INVALID', `could not use the key file ${path}: ${why}`)
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
}
