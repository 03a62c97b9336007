import { randomBytes } from 'node:crypto'
import { createContextKey, parseContextKeys, type ContextKeys } from '@tributary/contract/context-token'
import type { RevisionedStore } from '@tributary/store'
import { failure } from '../../errors.js'
import { absent, listJson, putJson, readJson } from './json-store.js'
import { stateKeys } from './keys.js'

const SIGN_IN_KEY_BYTES = 32

/**
 * The only file that reads and writes secret values: generated secrets of services, and the tenant token that an
 * environment's processes get, and the key that signs routing contexts. At rest they are encrypted if the store is (docs/adr/0018).
 */
export type SecretValues = Readonly<Record<string, string>>

/** A tenant's token as the config center made it. */
export interface TenantToken {
  readonly tokenId: string
  readonly token: string
}

/** A service's generated secrets, made on first need and kept across deploys. `bytes` by name; values are base64url. */
export async function ensureSecrets(
  store: RevisionedStore,
  target: { readonly environment: string; readonly service: string },
  wanted: Readonly<Record<string, number>>,
): Promise<SecretValues> {
  const key = stateKeys.secret(target.environment, target.service)
  const before = (await readJson<SecretValues>(store, key))?.value ?? {}
  const missing = Object.entries(wanted).filter(([name]) => before[name] === undefined)
  if (missing.length === 0) return before
  const made = Object.fromEntries(missing.map(([name, bytes]) => [name, randomBytes(bytes).toString('base64url')]))
  await store.transact({ compares: [], mutations: [putJson(key, { ...before, ...made })] })
  return { ...before, ...made }
}

/** True when a service of the environment has secrets here. */
export async function hasSecrets(
  store: RevisionedStore,
  target: { readonly environment: string; readonly service: string },
): Promise<boolean> {
  return (await readJson<SecretValues>(store, stateKeys.secret(target.environment, target.service))) !== undefined
}

/** Deletes all secrets of an environment, its token among them. Idempotent. */
export async function deleteSecrets(store: RevisionedStore, environment: string): Promise<void> {
  await store.transact({
    compares: [],
    mutations: [
      { kind: 'delete', select: { prefix: stateKeys.secretsOf(environment) } },
      { kind: 'delete', select: { key: stateKeys.tenantToken(environment) } },
      { kind: 'delete', select: { prefix: stateKeys.defaultsOf(environment) } },
    ],
  })
}

/** The token of an environment's tenant; undefined when none was kept. */
export async function findTenantToken(store: RevisionedStore, environment: string): Promise<TenantToken | undefined> {
  return (await readJson<TenantToken>(store, stateKeys.tenantToken(environment)))?.value
}

/** Keeps the token of an environment's tenant. */
export async function keepTenantToken(store: RevisionedStore, environment: string, token: TenantToken): Promise<void> {
  await store.transact({ compares: [], mutations: [putJson(stateKeys.tenantToken(environment), token)] })
}

/**
 * The key that signs routing contexts, the same for all environments of this store: `TRIBUTARY_CONTEXT_KEY`. Made on first need; of several
 * managers that make one at the same time, all get the first.
 */
export async function ensureContextKey(store: RevisionedStore): Promise<string> {
  const key = stateKeys.contextKey
  const found = await readJson<string>(store, key)
  if (found !== undefined) return found.value
  await store.transact({ compares: [absent(key)], mutations: [putJson(key, createContextKey())] })
  return ensureContextKey(store)
}

/** Makes `given` the key that {@link ensureContextKey} answers: several keys, newest first, while one follows the other. */
export async function provideContextKey(store: RevisionedStore, given: string): Promise<void> {
  const found = await readJson<string>(store, stateKeys.contextKey)
  if (found?.value === given) return
  await store.transact({ compares: [], mutations: [putJson(stateKeys.contextKey, given)] })
}

/** The key that seals sign-ins which are under way, the same for all managers on this store. Made on first need. */
export async function ensureSignInKey(store: RevisionedStore): Promise<string> {
  const key = stateKeys.signInKey
  const found = await readJson<string>(store, key)
  if (found !== undefined) return found.value
  const made = randomBytes(SIGN_IN_KEY_BYTES).toString('base64url')
  await store.transact({ compares: [absent(key)], mutations: [putJson(key, made)] })
  return ensureSignInKey(store)
}

/**
 * {@link ensureContextKey}, ready to verify with.
 * @throws AppError `STATE_CORRUPT`
 */
export async function readContextKeys(store: RevisionedStore): Promise<ContextKeys> {
  const keys = parseContextKeys(await ensureContextKey(store))
  if (keys !== undefined) return keys
  throw failure(
    'STATE_CORRUPT',
    `Reading ${stateKeys.contextKey} of the manager's store: it is no key; restore a backup`,
  )
}

/** Every secret value of an environment, to be blacked out in logs. */
export async function secretValuesOf(store: RevisionedStore, environment: string): Promise<readonly string[]> {
  const secrets = await listJson<SecretValues>(store, stateKeys.secretsOf(environment))
  const token = await findTenantToken(store, environment)
  const contextKey = await ensureContextKey(store)
  return [
    ...secrets.flatMap(({ value }) => Object.values(value)),
    ...(token === undefined ? [] : [token.token]),
    contextKey,
  ]
}
