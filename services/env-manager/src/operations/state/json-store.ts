import type { Compare, Mutation, RevisionedStore } from '@tributary/store'
import { failure } from '../../errors.js'

/** A value with the store revision that last changed it: what a later write compares with. */
export interface Stored<T> {
  readonly key: string
  readonly value: T
  readonly modRevision: bigint
}

/** How often a compare-and-set is tried again before it is a conflict that the caller sees. */
const MAX_ATTEMPTS = 20

/** Reads a JSON value; undefined when the key is absent. `STATE_CORRUPT` when it is no JSON. */
export async function readJson<T>(store: RevisionedStore, key: string): Promise<Stored<T> | undefined> {
  const { entries } = await store.range({ select: { key } })
  const [entry] = entries
  return entry === undefined ? undefined : { key, value: parse<T>(entry), modRevision: entry.modRevision }
}

/** Reads all JSON values below a prefix, in key order. */
export async function listJson<T>(store: RevisionedStore, prefix: string): Promise<readonly Stored<T>[]> {
  const { entries } = await store.range({ select: { prefix } })
  return entries.map((entry) => ({ key: entry.key, value: parse<T>(entry), modRevision: entry.modRevision }))
}

/** What a {@link updateJson} does besides its own key, in the same transaction. */
export interface Alongside {
  readonly compares?: readonly Compare[]
  readonly mutations?: readonly Mutation[]
}

/**
 * Read, change, compare-and-set, again when somebody was faster. `change` returns the new value, or undefined to leave
 * everything as it is. Resolves to the value that stands afterwards; undefined when the key is absent.
 * @throws AppError `STATE_CONFLICT` when it keeps changing.
 */
export async function updateJson<T>(
  store: RevisionedStore,
  key: string,
  change: (current: T) => { readonly value: T; readonly alongside?: Alongside } | undefined,
): Promise<T | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const current = await readJson<T>(store, key)
    if (current === undefined) return undefined
    const next = change(current.value)
    if (next === undefined) return current.value
    const { succeeded } = await store.transact({
      compares: [unchanged(current), ...(next.alongside?.compares ?? [])],
      mutations: [putJson(key, next.value), ...(next.alongside?.mutations ?? [])],
    })
    if (succeeded) return next.value
  }
  throw failure('STATE_CONFLICT', `Writing ${key}: it kept changing meanwhile; it is tried again later`)
}

/** A put of a JSON value. */
export function putJson(key: string, value: unknown): Mutation {
  return { kind: 'put', key, value: JSON.stringify(value) }
}

/** The condition that a key is absent. */
export function absent(key: string): Compare {
  return { select: { key }, target: 'modRevision', op: '=', value: 0n }
}

/** The condition that a key is there. */
export function exists(key: string): Compare {
  return { select: { key }, target: 'modRevision', op: '!=', value: 0n }
}

/** The condition that a key is as it was read. */
export function unchanged({ key, modRevision }: Pick<Stored<unknown>, 'key' | 'modRevision'>): Compare {
  return { select: { key }, target: 'modRevision', op: '=', value: modRevision }
}

function parse<T>({ key, value }: { readonly key: string; readonly value: string }): T {
  try {
    return JSON.parse(value) as T
  } catch (cause) {
    throw failure('STATE_CORRUPT', `Reading ${key} of the manager's store: it is not JSON; restore a backup`, { cause })
  }
}
