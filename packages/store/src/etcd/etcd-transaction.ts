import type { ICompare, IRequestOp, ITxnRequest, ITxnResponse } from 'etcd3'
import { MAX_TRANSACTION_OPERATIONS } from '../check-request.js'
import type { Compare, Mutation, StoreRevision, TransactRequest } from '../revisioned-store.js'
import type { KeySpace } from './key-space.js'
import { etcdLeaseId } from './etcd-lease-id.js'

/** A transaction as etcd takes it. */
export interface EtcdTransaction {
  readonly request: ITxnRequest
  /**
   * True when the request was at etcd's limit of operations already, so that the head has to be touched in a transaction of its
   * own when this one changed something.
   */
  readonly touchHeadAfter: boolean
}

/** Largest number that etcd's counters can hold; no counter ever reaches it. */
const MAX_INT64 = 2n ** 63n - 1n

const RESULTS = { '=': 'Equal', '!=': 'NotEqual', '<': 'Less', '>': 'Greater', '<=': 'Less', '>=': 'Greater' } as const
/** etcd has neither `<=` nor `>=`: on integers they are `<` and `>` of the neighbour. */
const SHIFT = { '=': 0n, '!=': 0n, '<': 0n, '>': 0n, '<=': 1n, '>=': -1n } as const

/**
 * Puts the head with every change, so that one read tells the store's own last revision on an etcd that others write to as well,
 * and every watch of the store can prove that it missed no transaction. A transaction that turns out to change nothing must leave
 * the head alone; only one that deletes and never puts can, and etcd decides about it in a nested transaction.
 */
export function etcdTransaction(keys: KeySpace, { compares, mutations }: TransactRequest): EtcdTransaction {
  const compare = compares.map((each) => etcdCompare(keys, each))
  const ops = mutations.map((each) => etcdOperation(keys, each))
  const read = [readHead(keys)]
  if (ops.length === 0) return { request: { compare, success: read, failure: read }, touchHeadAfter: false }
  if (mutations.some((each) => each.kind === 'put')) {
    const touchHeadAfter = ops.length === MAX_TRANSACTION_OPERATIONS
    return {
      request: { compare, success: touchHeadAfter ? ops : [...ops, putHead(keys)], failure: read },
      touchHeadAfter,
    }
  }
  // etcd takes what the outer transaction uses off the limit of the nested one.
  const touchHeadAfter = ops.length + 1 > MAX_TRANSACTION_OPERATIONS - Math.max(1, compare.length)
  const nested = { compare: nothingThere(keys, mutations), success: read, failure: [...ops, putHead(keys)] }
  return {
    request: { compare, success: touchHeadAfter ? ops : [{ request_txn: nested }], failure: read },
    touchHeadAfter,
  }
}

/** Puts the head; with `unlessAfter` only when it has not been put since that revision. */
export function touchHead(keys: KeySpace, unlessAfter?: StoreRevision): ITxnRequest {
  const compare: ICompare[] =
    unlessAfter === undefined
      ? []
      : [{ key: keys.head, target: 'Mod', result: 'Equal', mod_revision: String(unlessAfter) }]
  return { compare, success: [putHead(keys)], failure: [readHead(keys)] }
}

/** Keeps the first data keys, if there are none and nothing else is in the store. */
export function createDataKeys(keys: KeySpace, text: string): ITxnRequest {
  const absent = { target: 'Create', result: 'Equal', create_revision: '0' } as const
  const compare: ICompare[] = [
    { key: keys.dataKeys, ...absent },
    { ...keys.intervalOf({ prefix: '' }), ...absent },
  ]
  return { compare, success: [putDataKeys(keys, text), putHead(keys)], failure: [] }
}

/** Keeps other data keys, if those of `revision` are still there. */
export function replaceDataKeys(keys: KeySpace, text: string, revision: StoreRevision): ITxnRequest {
  const compare: ICompare[] = [{ key: keys.dataKeys, target: 'Mod', result: 'Equal', mod_revision: String(revision) }]
  return { compare, success: [putDataKeys(keys, text), putHead(keys)], failure: [] }
}

/** Deletes keys as long as they all hang on the lease, as one change of the store. */
export function deleteLeaseKeys(keys: KeySpace, leaseId: string, leased: readonly Buffer[]): ITxnRequest {
  const compare = leased.map((key): ICompare => ({ key, target: 'Lease', result: 'Equal', lease: leaseId }))
  const deletes = leased.map((key) => ({ request_delete_range: { key } }))
  return { compare, success: [...deletes, putHead(keys)], failure: [] }
}

/**
 * The store's revision after a transaction: its own when it changed something, else that of the last change. A transaction that
 * changed something wrote at the revision in its answer's header, and read no head.
 */
export function revisionAfter(response: ITxnResponse): StoreRevision {
  const read = headReadIn(response)
  return BigInt(read === undefined ? response.header.revision : (read.kvs[0]?.mod_revision ?? response.header.revision))
}

/** True when an operation of the transaction put or deleted something. */
export function changedSomething(response: ITxnResponse): boolean {
  return response.responses.some(
    (each) =>
      Boolean(each.response_put) ||
      (Boolean(each.response_delete_range) && each.response_delete_range.deleted !== '0') ||
      (Boolean(each.response_txn) && changedSomething(each.response_txn)),
  )
}

function headReadIn(
  response: ITxnResponse,
): { readonly kvs: readonly { readonly mod_revision: string }[] } | undefined {
  for (const each of response.responses) {
    if (each.response_range) return each.response_range
    if (each.response_txn) return headReadIn(each.response_txn)
  }
  return undefined
}

function etcdCompare(keys: KeySpace, { select, target, op, value }: Compare): ICompare {
  const number = String(clamp(value + SHIFT[op]))
  const where = { ...keys.intervalOf(select), result: RESULTS[op] }
  if (target === 'modRevision') return { ...where, target: 'Mod', mod_revision: number }
  if (target === 'createRevision') return { ...where, target: 'Create', create_revision: number }
  return { ...where, target: 'Version', version: number }
}

function clamp(value: bigint): bigint {
  if (value > MAX_INT64) return MAX_INT64
  return value < -MAX_INT64 ? -MAX_INT64 : value
}

function etcdOperation(keys: KeySpace, mutation: Mutation): IRequestOp {
  if (mutation.kind === 'delete') return { request_delete_range: keys.intervalOf(mutation.select) }
  const lease = mutation.leaseId === undefined ? {} : { lease: etcdLeaseId(mutation.leaseId) }
  return {
    request_put: { key: keys.keyOf(mutation.key), value: keys.storedValue(mutation.key, mutation.value), ...lease },
  }
}

/** Holds when no mutation would find a key. A missing key, and an empty interval, compare as 0. */
function nothingThere(keys: KeySpace, deletes: readonly Mutation[]): ICompare[] {
  return deletes.map((each) => ({
    ...keys.intervalOf(each.kind === 'delete' ? each.select : { key: each.key }),
    target: 'Create',
    result: 'Equal',
    create_revision: '0',
  }))
}

function putDataKeys(keys: KeySpace, text: string): IRequestOp {
  return { request_put: { key: keys.dataKeys, value: Buffer.from(text) } }
}

function putHead(keys: KeySpace): IRequestOp {
  return { request_put: { key: keys.head, value: Buffer.alloc(0) } }
}

function readHead(keys: KeySpace): IRequestOp {
  return { request_range: { key: keys.head } }
}
