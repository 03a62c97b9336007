import { randomBytes } from 'node:crypto'
import { storeError } from '../errors.js'
import { decrypt, encrypt } from './aes-gcm.js'
import type { StoreKeys } from './store-keys.js'
import type { ValueCodec } from './value-codec.js'

const KEY_BYTES = 32
const ID_BYTES = 8
/** No UTF-8 text begins with the first byte, so what is encrypted is told from what is not. The second is the format. */
const MARK = Buffer.from([0xff, 0x01])
const HEADER_BYTES = MARK.length + ID_BYTES
const FORMAT = 1

/** The data keys of a store as they are kept in it, newest first: each encrypted under one key of the operator. */
export interface DataKeyRecord {
  readonly format: typeof FORMAT
  /** Of the operator's key. */
  readonly keyId: string
  readonly dataKeys: readonly { readonly id: string; readonly wrapped: string }[]
}

/** A record with the first data key. */
export function newRecord(keys: StoreKeys): DataKeyRecord {
  return recordOf(keys, new Map([newDataKey()]))
}

/** The record under the newest key of the operator, with a new data key for what is written from now on; undefined: it is that already. */
export function rotated(record: DataKeyRecord, keys: StoreKeys): DataKeyRecord | undefined {
  if (record.keyId === keys.newest.id) return undefined
  return recordOf(keys, new Map([newDataKey(), ...unwrap(record, keys)]))
}

/** @throws AppError `STORE_CORRUPT` */
export function parseRecord(text: string): DataKeyRecord {
  try {
    const value: unknown = JSON.parse(text)
    if (isRecord(value)) return value
  } catch {
    // Told below.
  }
  throw storeError(
    'STORE_CORRUPT',
    'could not read the data keys of the store: they are damaged, or of a newer version',
  )
}

/** Encrypts values under data keys, each bound to the key that it is kept under: one that is put elsewhere does not open. */
export class DataKeys implements ValueCodec {
  #byId: ReadonlyMap<string, Buffer> = new Map()
  #newest: readonly [id: Buffer, secret: Buffer]

  /** @throws AppError as {@link adopt} */
  constructor(record: DataKeyRecord, keys: StoreKeys) {
    this.#newest = this.adopt(record, keys)
  }

  /**
   * Takes over what the store keeps now.
   * @throws AppError `STORE_KEY_UNKNOWN`: the operator's key is not among `keys`. `STORE_CORRUPT`
   */
  adopt(record: DataKeyRecord, keys: StoreKeys): readonly [id: Buffer, secret: Buffer] {
    const byId = unwrap(record, keys)
    const [newest] = byId
    if (newest === undefined)
      throw storeError('STORE_CORRUPT', 'could not read the data keys of the store: there are none')
    this.#byId = byId
    this.#newest = [Buffer.from(newest[0], 'hex'), newest[1]]
    return this.#newest
  }

  seal(key: string, value: string): Buffer {
    const [id, secret] = this.#newest
    const header = Buffer.concat([MARK, id])
    return Buffer.concat([header, encrypt(secret, contextOf(header, key), Buffer.from(value))])
  }

  open(key: string, stored: Buffer): string {
    const header = stored.subarray(0, HEADER_BYTES)
    if (!header.subarray(0, MARK.length).equals(MARK)) {
      throw storeError(
        'STORE_CORRUPT',
        `could not read ${JSON.stringify(key)}: its value is not encrypted; something without the key wrote it`,
      )
    }
    const id = header.subarray(MARK.length).toString('hex')
    const secret = this.#byId.get(id)
    if (secret === undefined)
      throw storeError(
        'STORE_KEY_UNKNOWN',
        `could not read ${JSON.stringify(key)}: it is under the data key ${id}, which the store does not list`,
      )
    const value = decrypt(secret, contextOf(header, key), stored.subarray(HEADER_BYTES))
    if (value !== undefined) return value.toString('utf8')
    throw storeError(
      'STORE_CORRUPT',
      `could not read ${JSON.stringify(key)}: its value was changed, or belongs to another key; restore a backup`,
    )
  }
}

/** The key is the name of what is kept: tenant, kind, and service. */
function contextOf(header: Buffer, key: string): Buffer {
  return Buffer.concat([header, Buffer.from(key)])
}

function newDataKey(): [id: string, secret: Buffer] {
  return [randomBytes(ID_BYTES).toString('hex'), randomBytes(KEY_BYTES)]
}

function recordOf({ newest }: StoreKeys, dataKeys: ReadonlyMap<string, Buffer>): DataKeyRecord {
  const wrapped = [...dataKeys].map(([id, secret]) => {
    return { id, wrapped: encrypt(newest.secret, wrapContext(id), secret).toString('base64url') }
  })
  return { format: FORMAT, keyId: newest.id, dataKeys: wrapped }
}

function unwrap({ keyId, dataKeys }: DataKeyRecord, { byId }: StoreKeys): Map<string, Buffer> {
  const key = byId.get(keyId)
  if (key === undefined) {
    throw storeError(
      'STORE_KEY_UNKNOWN',
      `could not decrypt the store: it is under the key ${keyId}, and the key file has ${[...byId.keys()].join(', ')}; add that key to the file`,
      { details: { keyId, known: [...byId.keys()] } },
    )
  }
  return new Map(
    dataKeys.map(({ id, wrapped }) => {
      const secret = decrypt(key.secret, wrapContext(id), Buffer.from(wrapped, 'base64url'))
      if (secret?.length === KEY_BYTES) return [id, secret]
      throw storeError('STORE_CORRUPT', `could not decrypt the store: its data key ${id} is damaged; restore a backup`)
    }),
  )
}

function wrapContext(id: string): Buffer {
  return Buffer.from(`data key ${id}`)
}

function isRecord(value: unknown): value is DataKeyRecord {
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT) return false
  if (!('keyId' in value) || typeof value.keyId !== 'string') return false
  return 'dataKeys' in value && Array.isArray(value.dataKeys) && value.dataKeys.every(isWrapped)
}

function isWrapped(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('id' in value) || !('wrapped' in value)) return false
  return typeof value.id === 'string' && /^[0-9a-f]{16}$/.test(value.id) && typeof value.wrapped === 'string'
}
