import { RefusalBook } from './audit/refusal-book.js'
import { keepRefusalsRecorded } from './operations/record-refusals.js'
import { KeyedMutex, systemClock, type Clock } from '@tributary/kit'
import type { RevisionedStore, StoreKeySource } from '@tributary/store'
import { buildApp, type AppDeps } from './app.js'
import { CallBook } from './calls/call-book.js'
import { CallMetrics } from './calls/call-metrics.js'
import { backupRoute } from './http/routes/backup.js'
import { callRoutes, type CallDeps } from './http/routes/calls.js'
import { grayPreviewRoute } from './http/routes/gray-preview.js'
import { impactRoute } from './http/routes/impact.js'
import { portableConfigRoutes } from './http/routes/portable-config.js'
import { replicaListRoute } from './http/routes/replica-list.js'
import { replicaRoutes } from './http/routes/replicas.js'
import { streamingRoutes } from './http/routes/streaming-routes.js'
import type { HistoryLimits } from './domain/history-floor.js'
import { Instruments } from './metrics/instruments.js'
import { adoptAdminToken } from './operations/adopt-admin-token.js'
import { ensureAdminToken } from './operations/ensure-admin-token.js'
import { DEFAULT_HISTORY_LIMITS, keepHistoryBounded } from './operations/history-retention.js'
import type { OperationContext, OperationTimeouts } from './operations/operation-context.js'
import { BoundedSchemaChecker } from './schemas/bounded-schema-checker.js'
import { ReplicaCluster } from './replicas/replica-cluster.js'
import type { WorkloadIdentity } from './ports/workload-identity.js'
import { TokenRegistry } from './tokens/token-registry.js'
import { WorkloadTokens, type ReviewResult } from './tokens/workload-tokens.js'
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
  /** Keys of the store, by which backups are encrypted as it is. Default: they are not. */
  readonly keys?: StoreKeySource | undefined
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string
  /** Default 0: a free port. */
  readonly port?: number
  /** Keeps an admin token in this file, mode 0600. Default: no token is made. */
  readonly adminTokenFile?: string
  /** Takes over the admin token in this file, which is only read. Default: none is taken over. */
  readonly givenAdminTokenFile?: string
  /** Fastify's logger option. Default: no log. */
  readonly logger?: AppDeps['logger']
  readonly clock?: Clock
  readonly streamLimits?: Partial<StreamLimits>
  readonly timeouts?: Partial<OperationTimeouts>
  /** Lets workloads in by the tokens that their platform gives them; closed with the replica. Default: it does not. */
  readonly workloadIdentity?: WorkloadIdentity | undefined
  /** How much history is kept of each tenant. Default: 10,000 records, 400 days. */
  readonly historyLimits?: Partial<HistoryLimits> | undefined
  /**
   * Makes this one of several replicas on the same store (docs/adr/0013); it then counts only when it listens. `advertisedUrl` is
   * where the others reach it; default: where it listens. Default: there are no others.
   */
  readonly replicate?: { readonly advertisedUrl?: string | undefined } | undefined
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
    await center.join(options.replicate?.advertisedUrl ?? url)
    return { ...center, url }
  } catch (error) {
    await center.close()
    throw error
  }
}

/** A replica that does not listen yet; `join` tells the others where it does. */
export interface AssembledConfigCenter extends Omit<ConfigCenter, 'url'> {
  join(url: string): Promise<void>
}

/** As {@link startConfigCenter}, without listening: requests come through `app.inject()`. */
export async function assembleConfigCenter(options: ConfigCenterOptions): Promise<AssembledConfigCenter> {
  const { clock = systemClock } = options
  const instruments = new Instruments()
  const store = instruments.measure(options.store)
  const stopping = new AbortController()
  const tokens = new TokenRegistry()
  const mirror = await CatalogMirror.start({
    store,
    signal: stopping.signal,
    clock,
    onResync: (cause) => instruments.metrics.noteResync(cause),
  })
  mirror.addConsumer(tokens)
  const workloads = workloadTokens(options, { clock, instruments })
  const context: OperationContext = {
    store,
    live: mirror,
    tokens,
    workloads,
    clock,
    schemas: new BoundedSchemaChecker(clock),
    turns: new KeyedMutex(),
    timeouts: options.timeouts,
  }
  try {
    const { app, cluster } = await assembleApp(options, { context, mirror, instruments })
    const token =
      options.adminTokenFile === undefined ? undefined : await ensureAdminToken(context, options.adminTokenFile)
    if (options.givenAdminTokenFile !== undefined) {
      const adoption = await adoptAdminToken(context, options.givenAdminTokenFile)
      if (adoption === 'revoked')
        app.log.warn('the given admin token was revoked and is not taken over; give a new one')
    }
    const close = async (): Promise<void> => {
      await app.close()
      // After the subscribers have gone: until then the others ask about them.
      await cluster?.leave()
      await mirror.stop()
      await workloads?.close()
    }
    const join = async (url: string): Promise<void> => cluster?.join(url)
    return { app, context, close, join, ...(token === undefined ? {} : { adminToken: token }) }
  } catch (error) {
    await mirror.stop()
    await workloads?.close()
    throw error
  }
}

function workloadTokens(
  { workloadIdentity: identity }: ConfigCenterOptions,
  { clock, instruments }: { readonly clock: Clock; readonly instruments: Instruments },
): WorkloadTokens | undefined {
  if (identity === undefined) return undefined
  const onReview = (result: ReviewResult): void => instruments.metrics.noteReview(result)
  const workloads = new WorkloadTokens({ identity, clock, onReview })
  workloads.start()
  return workloads
}

interface AssembledApp {
  readonly app: Awaited<ReturnType<typeof buildApp>>
  /** Absent: there are no other replicas. */
  readonly cluster: ReplicaCluster | undefined
}

interface Replica {
  readonly context: OperationContext
  readonly mirror: CatalogMirror
  readonly instruments: Instruments
}

async function assembleApp(options: ConfigCenterOptions, replica: Replica): Promise<AssembledApp> {
  const { context, mirror, instruments } = replica
  const { tokens, workloads, clock, store } = context
  const hub = new StreamHub({
    mirror,
    clock,
    observer: instruments.metrics,
    isTokenLive: (tokenId) => (tokens.find(tokenId) ?? workloads?.find(tokenId)) !== undefined,
    ...(options.streamLimits === undefined ? {} : { limits: options.streamLimits }),
  })
  const own = { live: mirror, hub, convergence: new ConvergenceTracker(mirror, hub.book) }
  const cluster =
    options.replicate === undefined
      ? undefined
      : new ReplicaCluster({ store, mirror, clock, replicaId: hub.serverId, own: own.convergence })
  const convergence = cluster?.convergence ?? own.convergence
  const calls = observedCalls(replica, hub)
  const refusals = new RefusalBook()
  const app = await buildApp({
    context,
    convergence,
    version: CONFIG_CENTER_VERSION,
    refusals,
    logger: options.logger,
    moreRoutes: (routes) => {
      if (cluster !== undefined) replicaRoutes(routes, { cluster, own, book: calls.book })
      const subscriptionsElsewhere = cluster?.subscriptionsElsewhere.bind(cluster)
      streamingRoutes(routes, { ...own, convergence, subscriptionsElsewhere })
      replicaListRoute(routes, { ...own, store, cluster })
      const trying = { context, convergence, streaming: { hub, subscriptionsElsewhere } }
      impactRoute(routes, trying)
      grayPreviewRoute(routes, trying)
      portableConfigRoutes(routes, trying)
      backupRoute(routes, { store, keys: options.keys })
      callRoutes(routes, { live: mirror, hub, convergence, ...calls, elsewhere: cluster })
    },
  })
  instruments.follow(app, { mirror, hub })
  const retention = new AbortController()
  void keepHistoryBounded({
    store: context.store,
    clock,
    limits: { ...DEFAULT_HISTORY_LIMITS, ...options.historyLimits },
    signal: retention.signal,
    onPruned: (records) => instruments.metrics.notePruned(records),
    onError: (error) => app.log.warn({ error: String(error) }, 'old history was not forgotten; it is tried again'),
  })
  app.addHook('onClose', async () => retention.abort())
  recordRefusals(app, context, refusals)
  endStreamsWithTokens(app, context, hub)
  return { app, cluster }
}

/** What was refused until the server closes is recorded while the store is still there. */
function recordRefusals(app: AssembledApp['app'], context: OperationContext, book: RefusalBook): void {
  const stopping = new AbortController()
  const recording = keepRefusalsRecorded(context, {
    book,
    signal: stopping.signal,
    onError: (error) => app.log.warn({ error: String(error) }, 'refused attempts were not recorded'),
  })
  app.addHook('onClose', async () => {
    stopping.abort()
    await recording
  })
}

/** A stream lives no longer than the right to it. */
function endStreamsWithTokens(
  app: AssembledApp['app'],
  { tokens, workloads, clock }: OperationContext,
  hub: StreamHub,
): void {
  const stopTokens = tokens.onRevoked((tokenId) => hub.disconnectToken(tokenId))
  const stopWorkloads = workloads?.onEnded((tokenId, end) => hub.disconnectToken(tokenId, end))
  const check = (): void => {
    tokens.announceExpired(clock.now())
    workloads?.announceExpired(clock.now())
  }
  const expiry = setInterval(check, EXPIRY_CHECK_MS).unref()
  app.addHook('onClose', async () => {
    clearInterval(expiry)
    stopTokens()
    stopWorkloads?.()
  })
}

/** What subscribers report about their calls, kept for as long as the tenants are there. */
function observedCalls({ context, mirror, instruments }: Replica, hub: StreamHub): CallDeps {
  const book = new CallBook({
    hasTenant: (tenant) => mirror.catalog.tenant(tenant) !== undefined,
    now: () => context.clock.now(),
  })
  mirror.onChanges((changes) => {
    for (const change of changes) {
      if (change.kind === 'tenant' && change.after === undefined) book.forget(change.tenant)
    }
  })
  const metrics = new CallMetrics(instruments.registry, {
    subscribers: () => hub.book.size,
    edges: () => book.size,
    storeRevision: () => mirror.catalog.storeRevision,
  })
  return { book, metrics }
}
