import { createHash, timingSafeEqual } from 'node:crypto'
import { Convergence, ObservedLeak, StoreRevisionText, Subscription, TenantName } from '@tributary/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { CallBook } from '../../calls/call-book.js'
import { ReplicaCalls } from '../../calls/replica-calls.js'
import { failure } from '../../errors.js'
import type { Peer } from '../../replicas/replica-directory.js'
import { REPLICA_PATHS, REPLICA_SECRET_HEADER } from '../../replicas/replica-client.js'
import type { ReplicaCluster } from '../../replicas/replica-cluster.js'
import { ReplicaReport, reportOf } from '../../replicas/replica-report.js'
import { replicaOfSubscription } from '../../watch/subscription-id.js'
import { clientGone } from '../client-gone.js'
import type { TypedApp } from '../route-deps.js'
import { answers, listOf, MAX_WAIT_MS, strictObject } from '../route-schemas.js'
import type { StreamingDeps } from './streaming-deps.js'

/** What the routes between replicas work with: `own` is this replica alone. */
export interface ReplicaRouteDeps {
  readonly cluster: ReplicaCluster
  readonly own: StreamingDeps
  readonly book: CallBook
}

const SUBSCRIPTION_ROUTES = '/v1/subscriptions/:id/'

const convergenceSchema = {
  hide: true,
  querystring: strictObject({
    revision: StoreRevisionText,
    tenant: Type.Optional(TenantName),
    timeoutMs: Type.Integer({ minimum: 0, maximum: MAX_WAIT_MS, default: 0 }),
  }),
  response: answers({ 200: Convergence }),
}

const subscriptionsSchema = {
  hide: true,
  querystring: strictObject({ tenant: Type.Optional(TenantName) }),
  response: answers({ 200: listOf({ subscriptions: Type.Array(Subscription) }) }),
}

const callsSchema = {
  hide: true,
  querystring: strictObject({ tenant: TenantName }),
  response: answers({ 200: ReplicaCalls }),
}

const leaksSchema = {
  hide: true,
  querystring: strictObject({ maxAgeMs: Type.Integer({ minimum: 0 }) }),
  response: answers({ 200: Type.Object({ leaks: Type.Array(ObservedLeak) }) }),
}

const reportSchema = { hide: true, response: answers({ 200: ReplicaReport }) }

/**
 * What replicas ask each other, and the way of reports to the replica that has the subscription. Add it before the routes of
 * subscriptions. Requests wait until this replica is registered.
 */
export function replicaRoutes(app: TypedApp, deps: ReplicaRouteDeps): void {
  const { cluster } = deps
  app.addHook('onRequest', async () => cluster.joined)
  app.addHook('preHandler', async (request, reply) => {
    const peer = ownerElsewhere(cluster, request)
    if (peer !== undefined) return forward(cluster, peer, { request, reply })
    return undefined
  })
  answerRoutes(app, deps)
}

function answerRoutes(app: TypedApp, { cluster, own, book }: ReplicaRouteDeps): void {
  // The secret stands for the token: a waiting write asks on behalf of whoever made it.
  const onRequest = async (request: FastifyRequest): Promise<void> => requireReplica(request, cluster.directory.secret)
  const options = { config: { access: 'open' }, onRequest } as const
  app.get(REPLICA_PATHS.convergence, { schema: convergenceSchema, ...options }, async (request, reply) => {
    const { revision, tenant, timeoutMs } = request.query
    const about = { storeRevision: BigInt(revision), ...(tenant === undefined ? {} : { tenant }) }
    return own.convergence.wait({ ...about, timeoutMs, signal: clientGone(reply) })
  })
  app.get(REPLICA_PATHS.subscriptions, { schema: subscriptionsSchema, ...options }, async ({ query }) => ({
    storeRevision: `${own.live.catalog.storeRevision}`,
    subscriptions: own.hub.book.list(query.tenant),
  }))
  app.get(REPLICA_PATHS.report, { schema: reportSchema, ...options }, async () => reportOf(own.live, own.hub))
  app.get(REPLICA_PATHS.calls, { schema: callsSchema, ...options }, async ({ query }) => book.countsOf(query.tenant))
  app.get(REPLICA_PATHS.leaks, { schema: leaksSchema, ...options }, async ({ query }) => ({ leaks: book.leaks(query) }))
}

/** The replica that has the subscription which the path names, when it is another one. */
function ownerElsewhere({ directory }: ReplicaCluster, { routeOptions, params }: FastifyRequest): Peer | undefined {
  if (routeOptions.url?.startsWith(SUBSCRIPTION_ROUTES) !== true) return undefined
  if (typeof params !== 'object' || params === null || !('id' in params) || typeof params.id !== 'string')
    return undefined
  const replicaId = replicaOfSubscription(params.id)
  return replicaId === undefined ? undefined : directory.find(replicaId)
}

async function forward(
  { client }: ReplicaCluster,
  peer: Peer,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<FastifyReply> {
  const { headers, body, url: path } = request
  const report = { path, authorization: headers.authorization ?? '', body, signal: clientGone(reply) }
  const { status, text } = await client.forward(peer, report)
  if (text === '') return reply.code(status).send()
  return reply.code(status).type('application/json; charset=utf-8').serializer(String).send(text)
}

/** @throws AppError `UNAUTHENTICATED`: the caller does not share this replica's store. */
function requireReplica({ headers }: FastifyRequest, secret: string | undefined): void {
  const given = headers[REPLICA_SECRET_HEADER]
  if (typeof given === 'string' && secret !== undefined && timingSafeEqual(digest(given), digest(secret))) return
  throw failure('UNAUTHENTICATED', 'This path is for other replicas on the same store.')
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
