import { type Clock, systemClock } from '@tributary/kit'
import type { StoreKeySource } from '../encryption/store-keys.js'
import { storeError } from '../errors.js'

/** How to open an etcd store. */
export interface EtcdStoreOptions {
  /** Client URLs of the cluster's members, for example `http://127.0.0.1:2379`, which is the default port; all `http` or all `https`, without user and path. */
  readonly endpoints: readonly string[]
  /** All keys of the store lie below it; ends with `/`. Stores that share an etcd have prefixes that do not contain each other. */
  readonly prefix: string
  /** Default: none; etcd then must not ask for a user. */
  readonly credentials?: { readonly username: string; readonly password: string }
  /** PEM texts, for `https` endpoints. Default: the machine's certificate authorities, and no client certificate. */
  readonly tls?: { readonly ca?: string; readonly key?: string; readonly cert?: string }
  /** Encrypts values at rest. Default: they are not, and an encrypted store is refused. */
  readonly keys?: StoreKeySource | undefined
  /** Deadline of each call. Default 5,000. */
  readonly callTimeoutMs?: number
  /**
   * A connection with a watch on it is pinged when it was silent for `timeMs`, and given up when no answer came within `timeoutMs`.
   * Default 6,000 and 3,000. etcd refuses more than one ping in 5 s unless its `--grpc-keepalive-min-time` allows it.
   */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number }
  /** A watch reconnects in silence for this long before it ends with `STORE_UNAVAILABLE`. Default 5,000. */
  readonly watchOutageMs?: number
  /** How often a quiet watch is brought up to etcd's revision, so that it does not fall behind compaction. Default 30,000. */
  readonly bookmarkIntervalMs?: number
  /** Default: the machine's clock. */
  readonly clock?: Clock
}

/** {@link EtcdStoreOptions} with every default filled in and every rule checked. */
export interface ResolvedEtcdOptions {
  /** `host:port` of each member. */
  readonly addresses: readonly string[]
  readonly prefix: string
  readonly keys: StoreKeySource | undefined
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  /** Undefined: the connection is not encrypted. */
  readonly tls: { readonly ca?: string; readonly key?: string; readonly cert?: string } | undefined
  readonly callTimeoutMs: number
  readonly keepalive: { readonly timeMs: number; readonly timeoutMs: number }
  readonly watchOutageMs: number
  readonly bookmarkIntervalMs: number
  readonly clock: Clock
}

const DEFAULTS = {
  callTimeoutMs: 5_000,
  keepalive: { timeMs: 6_000, timeoutMs: 3_000 },
  watchOutageMs: 5_000,
  bookmarkIntervalMs: 30_000,
}

/** @throws AppError `STORE_INVALID_REQUEST`: an option breaks its rule. The message never repeats an endpoint or a credential. */
export function resolveEtcdOptions(options: EtcdStoreOptions): ResolvedEtcdOptions {
  const urls = options.endpoints.map(parseEndpoint)
  const encrypted = urls.filter((url) => url.protocol === 'https:').length
  if (urls.length === 0) throw invalid('endpoints', 'must name at least one member')
  if (encrypted > 0 && encrypted < urls.length) throw invalid('endpoints', 'must be all http or all https')
  if (encrypted === 0 && options.tls !== undefined) throw invalid('tls', 'needs https endpoints')
  if (!/^.+\/$/.test(options.prefix)) throw invalid('prefix', 'must not be empty and must end with "/"')
  return {
    addresses: options.endpoints.map((endpoint, index) => `${urls[index]?.hostname}:${portOf(endpoint)}`),
    prefix: options.prefix,
    keys: options.keys,
    credentials: options.credentials,
    tls: encrypted > 0 ? (options.tls ?? {}) : undefined,
    callTimeoutMs: positive(options.callTimeoutMs ?? DEFAULTS.callTimeoutMs, 'callTimeoutMs'),
    keepalive: options.keepalive ?? DEFAULTS.keepalive,
    watchOutageMs: positive(options.watchOutageMs ?? DEFAULTS.watchOutageMs, 'watchOutageMs'),
    bookmarkIntervalMs: positive(options.bookmarkIntervalMs ?? DEFAULTS.bookmarkIntervalMs, 'bookmarkIntervalMs'),
    clock: options.clock ?? systemClock,
  }
}

function parseEndpoint(endpoint: string, index: number): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const plain = url !== undefined && url.username === '' && url.password === '' && ['/', ''].includes(url.pathname)
  if (!plain || !['http:', 'https:'].includes(url.protocol)) {
    throw invalid(`endpoints[${index}]`, 'must be http://host:port or https://host:port, without user and path')
  }
  return url
}

/** From the text: a URL forgets a port that is its scheme's own. */
function portOf(endpoint: string): string {
  return /:(\d+)\/?$/.exec(endpoint)?.[1] ?? '2379'
}

function positive(value: number, name: string): number {
  if (Number.isFinite(value) && value > 0) return value
  throw invalid(name, `must be a positive number of milliseconds, not ${value}`)
}

function invalid(option: string, rule: string): Error {
  return storeError('STORE_INVALID_REQUEST', `open the etcd store: ${option} ${rule}`)
}
