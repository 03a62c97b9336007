import { readFileSync } from 'node:fs'
import { openEmbeddedStore } from './embedded/open-embedded-store.js'
import { type EtcdStoreOptions, resolveEtcdOptions } from './etcd/etcd-options.js'
import { openEtcdStore } from './etcd/open-etcd-store.js'
import { readStoreKeys, type StoreKeys, type StoreKeySource } from './encryption/store-keys.js'
import type { RevisionedStore } from './revisioned-store.js'

/** Which store a process was told to use: a file of its own, or an etcd that it shares. */
export type StoreChoice = (
  { readonly kind: 'embedded' } | { readonly kind: 'etcd'; readonly etcd: Omit<EtcdStoreOptions, 'prefix' | 'keys'> }
) & {
  /** Encrypts values at rest; absent: they are not. */
  readonly keys?: StoreKeySource
}

/** Where a service keeps its data in either store. */
export interface StorePlace {
  /** The embedded store's file. */
  readonly path: string
  /** All keys in an etcd lie below it; ends with `/`. */
  readonly prefix: string
}

type Variables = Readonly<Record<string, string | undefined>>

const ETCD_VARIABLES = [
  'TRIBUTARY_ETCD_ENDPOINTS',
  'TRIBUTARY_ETCD_CA_FILE',
  'TRIBUTARY_ETCD_CERT_FILE',
  'TRIBUTARY_ETCD_KEY_FILE',
  'TRIBUTARY_ETCD_USERNAME',
  'TRIBUTARY_ETCD_PASSWORD_FILE',
] as const
type EtcdVariable = (typeof ETCD_VARIABLES)[number]

/**
 * Reads the choice from the variables of a process and adds what is wrong to `problems`; the result is then of no use.
 *
 * | variable | default | meaning |
 * | --- | --- | --- |
 * | `TRIBUTARY_STORE_KEY_FILE` | none | keys that encrypt values at rest, a line each, newest first, for the owner alone |
 * | `TRIBUTARY_STORE` | `embedded` | `embedded`: a file, one process; `etcd`: any number of processes |
 * | `TRIBUTARY_ETCD_ENDPOINTS` | none | client URLs of the members, separated by commas |
 * | `TRIBUTARY_ETCD_CA_FILE` | the machine's authorities | PEM file, for https |
 * | `TRIBUTARY_ETCD_CERT_FILE`, `TRIBUTARY_ETCD_KEY_FILE` | none | client certificate, PEM files |
 * | `TRIBUTARY_ETCD_USERNAME`, `TRIBUTARY_ETCD_PASSWORD_FILE` | none | etcd's user; a line feed at the file's end does not count |
 */
export function readStoreChoice(env: Variables, problems: string[]): StoreChoice {
  const kind = env['TRIBUTARY_STORE'] ?? 'embedded'
  const encryption = readKeyFile(env['TRIBUTARY_STORE_KEY_FILE'], problems)
  if (kind === 'etcd') return { kind, etcd: readEtcd(env, problems), ...encryption }
  if (kind !== 'embedded') problems.push(`TRIBUTARY_STORE is ${JSON.stringify(kind)}, not embedded or etcd`)
  const idle = ETCD_VARIABLES.filter((name) => env[name] !== undefined)
  if (kind === 'embedded' && idle.length > 0) {
    problems.push(`${idle.join(', ')} without TRIBUTARY_STORE=etcd: set it too, or leave them out`)
  }
  return { kind: 'embedded', ...encryption }
}

/** Read at the start, so that all problems are told at once, and again when a key is met that was not there. */
function readKeyFile(path: string | undefined, problems: string[]): Pick<StoreChoice, 'keys'> {
  if (path === undefined) return {}
  const keys = (): StoreKeys => readStoreKeys(path)
  try {
    keys()
  } catch (error) {
    problems.push(`TRIBUTARY_STORE_KEY_FILE: ${error instanceof Error ? error.message : String(error)}`)
  }
  return { keys }
}

/** Opens the chosen store. Rejects as {@link openEmbeddedStore} and {@link openEtcdStore} do. */
export async function openStore(choice: StoreChoice, place: StorePlace): Promise<RevisionedStore> {
  if (choice.kind === 'embedded') return openEmbeddedStore({ path: place.path, keys: choice.keys })
  return openEtcdStore({ ...choice.etcd, prefix: place.prefix, keys: choice.keys })
}

function readEtcd(env: Variables, problems: string[]): Omit<EtcdStoreOptions, 'prefix' | 'keys'> {
  const text = (name: EtcdVariable): string | undefined => readText(env, name, problems)
  const endpoints = (env['TRIBUTARY_ETCD_ENDPOINTS'] ?? '').split(',').map((endpoint) => endpoint.trim())
  const [ca, cert, key] = [
    text('TRIBUTARY_ETCD_CA_FILE'),
    text('TRIBUTARY_ETCD_CERT_FILE'),
    text('TRIBUTARY_ETCD_KEY_FILE'),
  ]
  requireBoth(env, ['TRIBUTARY_ETCD_CERT_FILE', 'TRIBUTARY_ETCD_KEY_FILE'], problems)
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  }
  const credentials = readCredentials(env, problems)
  const options = {
    endpoints,
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(credentials === undefined ? {} : { credentials }),
  }
  checkEndpoints(env, options, problems)
  return options
}

function readCredentials(env: Variables, problems: string[]): EtcdStoreOptions['credentials'] {
  const username = env['TRIBUTARY_ETCD_USERNAME']
  const password = readText(env, 'TRIBUTARY_ETCD_PASSWORD_FILE', problems)?.replace(/\r?\n$/, '')
  requireBoth(env, ['TRIBUTARY_ETCD_USERNAME', 'TRIBUTARY_ETCD_PASSWORD_FILE'], problems)
  return username === undefined || password === undefined ? undefined : { username, password }
}

function checkEndpoints(env: Variables, options: Omit<EtcdStoreOptions, 'prefix'>, problems: string[]): void {
  if (env['TRIBUTARY_ETCD_ENDPOINTS'] === undefined) {
    problems.push(
      'TRIBUTARY_ETCD_ENDPOINTS is missing: name the members, as in http://10.0.0.1:2379,http://10.0.0.2:2379',
    )
    return
  }
  try {
    resolveEtcdOptions({ ...options, prefix: 'any/' })
  } catch (error) {
    problems.push(`TRIBUTARY_ETCD_*: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function requireBoth(env: Variables, [one, other]: readonly [EtcdVariable, EtcdVariable], problems: string[]): void {
  if ((env[one] === undefined) !== (env[other] === undefined))
    problems.push(`${one} and ${other} go together: set both`)
}

function readText(env: Variables, name: EtcdVariable, problems: string[]): string | undefined {
  const file = env[name]
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    problems.push(`${name}: ${file} cannot be read${reason}`)
    return undefined
  }
}
