import { KeyedMutex, systemClock, type Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import { buildApp, type AppDeps } from './app.js'
import { CallBook } from './calls/call-book.js'
import { CallMetrics } from './calls/call-metrics.js'
import { callRoutes, type CallDeps } from './http/routes/calls.js'
import { streamingRoutes } from './http/routes/streaming-routes.js'
import { ensureAdminToken } from './operations/ensure-admin-token.js'
import type { OperationContext, OperationTimeouts } from './operations/operation-context.js'
import { TokenRegistry } from './tokens/token-registry.js'
import { CONFIG_CENTER_VERSION } from './version.js'
import { CatalogMirror } from './watch/catalog-mirror.js'
import { ConvergenceTracker } from './watch/convergence-tracker.js'
import type { StreamLimits } from './watch/stream-hub-options.js'
import { StreamHub } from './watch/stream-hub.js'

/** How often expired tokens lose their streams. */
const EXPIRY_CHECK_MS = 1_000

/** Connections that may wait to be accepted when all subscribers come back at once; the machine may allow fewer. */
const LISTEN_BACKLOG = 8_192

/** What a replica of the config center needs. The store stays the caller's: it is not closed. */
export interface ConfigCenterOptions {
  readonly store: RevisionedStore
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: a free port. */
  readonly port?: number
  /** Keeps an admin token in this file, mode 0600. Default: no token is made. */
  readonly adminTokenFile?: string
  /** Fastify's logger option. Default: no log. */
  readonly logger?: AppDeps['logger']
  readonly clock?: Clock
  readonly streamLimits?: Partial<StreamLimits>
  readonly timeouts?: Partial<OperationTimeouts>
}

/** A running replica. */
export interface ConfigCenter {
  /** Origin, e.g. `http://127.0.0.1:7400`. */
  readonly url: string
  /** The token in `adminTokenFile`; absent when none was asked for. */
  readonly adminToken?: string
  /** The API without a socket, for tests and embedding. */
  readonly app: Awaited<ReturnType<typeof buildApp>>
  readonly context: OperationContext
  /** Says goodbye to all streams, ends requests, and stops following the store. Idempotent. */
  close(): Promise<void>
}

/**
 * Starts a replica and listens.
 * @throws AppError when the store does not answer; the listen error when the port is taken.
 */
export async function startConfigCenter(options: ConfigCenterOptions): Promise<ConfigCenter> {
  const center = await assembleConfigCenter(options)
  try {
    const { host = '127.0.0.1', port = 0 } = options
    const url = await center.app.listen({ host, port, backlog: LISTEN_BACKLOG })
    return { ...center, url }
  } catch (error) {
    await center.close()
    throw error
  }
}

/** As {@link startConfigCenter}, without listening: requests come through `app.inject()`. */
export async function assembleConfigCenter(options: ConfigCenterOptions): Promise<Omit<ConfigCenter, 'url'>> {
  const { store, clock = systemClock } = options
  const stopping = new AbortController()
  const tokens = new TokenRegistry()
  const mirror = await CatalogMirror.start({ store, signal: stopping.signal, clock })
  mirror.addConsumer(tokens)
  const context: OperationContext = {
    store,
    live: mirror,
    tokens,
    clock,
    turns: new KeyedMutex(),
    timeouts: options.timeouts,
  }
  try {
    const app = await assembleApp(options, { context, mirror })
    const token =
      options.adminTokenFile === undefined ? undefined : await ensureAdminToken(context, options.adminTokenFile)
    const close = async (): Promise<void> => {
      await app.close()
      await mirror.stop()
    }
    return { app, context, close, ...(token === undefined ? {} : { adminToken: token }) }
  } catch (error) {
    await mirror.stop()
    throw error
  }
}

interface Replica {
  readonly context: OperationContext
  readonly mirror: CatalogMirror
}

async function assembleApp(options: ConfigCenterOptions, { context, mirror }: Replica): ReturnType<typeof buildApp> {
  const { tokens, clock } = context
  const hub = new StreamHub({
    mirror,
    clock,
    isTokenLive: (tokenId) => tokens.find(tokenId) !== undefined,
    ...(options.streamLimits === undefined ? {} : { limits: options.streamLimits }),
  })
  const convergence = new ConvergenceTracker(mirror, hub.book)
  const calls = observedCalls({ context, mirror }, hub)
  const app = await buildApp({
    context,
    convergence,
    version: CONFIG_CENTER_VERSION,
    logger: options.logger,
    moreRoutes: (routes) => {
      streamingRoutes(routes, { live: mirror, hub, convergence })
      callRoutes(routes, { live: mirror, hub, convergence, ...calls })
    },
  })
  const stopListening = tokens.onRevoked((tokenId) => hub.disconnectToken(tokenId))
  const expiry = setInterval(() => tokens.announceExpired(clock.now()), EXPIRY_CHECK_MS).unref()
  app.addHook('onClose', async () => {
    clearInterval(expiry)
    stopListening()
  })
  return app
}

/** What subscribers report about their calls, kept for as long as the tenants are there. */
function observedCalls({ context, mirror }: Replica, hub: StreamHub): CallDeps {
  const book = new CallBook({
    hasTenant: (tenant) => mirror.catalog.tenant(tenant) !== undefined,
    now: () => context.clock.now(),
  })
  mirror.onChanges((changes) => {
    for (const change of changes) {
      if (change.kind === 'tenant' && change.after === undefined) book.forget(change.tenant)
    }
  })
  const metrics = new CallMetrics({
    subscribers: () => hub.book.size,
    edges: () => book.size,
    storeRevision: () => mirror.catalog.storeRevision,
  })
  return { book, metrics }
}
