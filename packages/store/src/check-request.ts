import { storeError } from './errors.js'
import type {
  Compare,
  KeySelector,
  Mutation,
  RangeRequest,
  StoreRevision,
  TransactRequest,
  WatchRequest,
} from './revisioned-store.js'
import { isUtf8Encodable } from './utf8.js'

/** Largest value, in UTF-8 bytes. */
export const MAX_VALUE_BYTES = 1024 * 1024
/** Most compares, and most mutations, of one transaction. */
export const MAX_TRANSACTION_OPERATIONS = 128
/** Largest sum of keys, prefixes and values of one transaction, in UTF-8 bytes. */
export const MAX_TRANSACTION_BYTES = 1.5 * 1024 * 1024

/** The one key that callers cannot use, in any store: the data keys of an encrypted store in etcd lie there. */
export const RESERVED_KEY = '\0'

/** @throws AppError `STORE_INVALID_REQUEST`: the selector is not well formed, the limit is not a positive integer, or a revision is negative. */
export function checkRange(request: RangeRequest): void {
  checkSelector(request.select, 'range')
  if (request.limit !== undefined && !(Number.isSafeInteger(request.limit) && request.limit > 0)) {
    throw storeError('STORE_INVALID_REQUEST', `range: limit must be a positive integer, not ${request.limit}`)
  }
  if (request.afterKey !== undefined) checkText(request.afterKey, 'range: afterKey')
  if (request.atRevision !== undefined) checkRevision(request.atRevision, 'range: atRevision')
}

/** @throws AppError `STORE_INVALID_REQUEST`: the selector is not well formed, or `after` is negative. */
export function checkWatch(request: WatchRequest): void {
  checkSelector(request.select, 'watch')
  checkRevision(request.after, 'watch: after')
}

/** @throws AppError `STORE_INVALID_REQUEST`: `revision` is negative. */
export function checkRevision(revision: StoreRevision, what: string): void {
  if (revision < 0n) throw storeError('STORE_INVALID_REQUEST', `${what} must not be negative, not ${revision}`)
}

/** @throws AppError `STORE_INVALID_REQUEST`: `ttlMs` is not a positive finite number. */
export function checkTtl(ttlMs: number): void {
  if (!(Number.isFinite(ttlMs) && ttlMs > 0)) {
    throw storeError('STORE_INVALID_REQUEST', `grant a lease: ttlMs must be a positive number, not ${ttlMs}`)
  }
}

/**
 * Checks what every adapter refuses alike, before anything is sent.
 * @throws AppError `STORE_TOO_LARGE`: a limit of this file is passed. `STORE_INVALID_REQUEST`: a key is empty or no UTF-8 text,
 * or a key is put twice, or put and deleted.
 */
export function checkTransaction(request: TransactRequest): void {
  checkCount(request.compares.length, 'compares')
  checkCount(request.mutations.length, 'mutations')
  for (const compare of request.compares) checkSelector(compare.select, 'compare')
  for (const mutation of request.mutations) checkMutation(mutation)
  const bytes = transactionBytes(request)
  if (bytes > MAX_TRANSACTION_BYTES) {
    throw storeError(
      'STORE_TOO_LARGE',
      `transaction: ${bytes} bytes of keys and values are over the limit of ${MAX_TRANSACTION_BYTES}; split it`,
    )
  }
  checkWrittenOnce(request.mutations)
}

function checkCount(count: number, what: string): void {
  if (count <= MAX_TRANSACTION_OPERATIONS) return
  throw storeError(
    'STORE_TOO_LARGE',
    `transaction: ${count} ${what} are over the limit of ${MAX_TRANSACTION_OPERATIONS}; split it, or select by prefix`,
  )
}

function checkMutation(mutation: Mutation): void {
  if (mutation.kind === 'delete') return checkSelector(mutation.select, 'delete')
  checkKey(mutation.key, 'put')
  checkText(mutation.value, `put of ${JSON.stringify(mutation.key)}: the value`)
  const bytes = Buffer.byteLength(mutation.value)
  if (bytes > MAX_VALUE_BYTES) {
    throw storeError(
      'STORE_TOO_LARGE',
      `put of ${JSON.stringify(mutation.key)}: ${bytes} bytes are over the limit of ${MAX_VALUE_BYTES}`,
    )
  }
}

function checkSelector(select: KeySelector, what: string): void {
  if ('key' in select) return checkKey(select.key, what)
  checkText(select.prefix, `${what}: the prefix`)
}

function checkKey(key: string, what: string): void {
  if (key === '') throw storeError('STORE_INVALID_REQUEST', `${what}: the key must not be empty`)
  if (key === RESERVED_KEY) throw storeError('STORE_INVALID_REQUEST', `${what}: the key "\\u0000" is the store's own`)
  checkText(key, `${what}: the key`)
}

function checkText(text: string, what: string): void {
  if (!isUtf8Encodable(text)) {
    throw storeError('STORE_INVALID_REQUEST', `${what} holds half of a surrogate pair and has no UTF-8 form`)
  }
}

function transactionBytes(request: TransactRequest): number {
  const compares = request.compares.reduce((sum, compare: Compare) => sum + selectorBytes(compare.select), 0)
  return request.mutations.reduce((sum, mutation) => sum + mutationBytes(mutation), compares)
}

function mutationBytes(mutation: Mutation): number {
  if (mutation.kind === 'delete') return selectorBytes(mutation.select)
  return Buffer.byteLength(mutation.key) + Buffer.byteLength(mutation.value)
}

function selectorBytes(select: KeySelector): number {
  return Buffer.byteLength('key' in select ? select.key : select.prefix)
}

/** As etcd: a key is put once and not also deleted; deletes may overlap, the key then changes once. */
function checkWrittenOnce(mutations: readonly Mutation[]): void {
  const put = new Set<string>()
  for (const mutation of mutations) {
    if (mutation.kind !== 'put') continue
    if (put.has(mutation.key)) refuseTwice(mutation.key)
    put.add(mutation.key)
  }
  for (const mutation of mutations) {
    if (mutation.kind !== 'delete') continue
    const { select } = mutation
    const twice =
      'key' in select ? put.has(select.key) && select.key : [...put].find((key) => key.startsWith(select.prefix))
    if (typeof twice === 'string') refuseTwice(twice)
  }
}

function refuseTwice(key: string): never {
  throw storeError(
    'STORE_INVALID_REQUEST',
    `transaction: the key ${JSON.stringify(key)} is written twice; write it once`,
  )
}
