import { Convergence, ObservedLeak, Subscription } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { ReplicaCalls } from '../calls/replica-calls.js'
import { failure } from '../errors.js'
import type { ConvergenceRequest } from '../ports/convergence.js'
import { ReplicaReport } from './replica-report.js'
import type { Peer, ReplicaDirectory } from './replica-directory.js'

/** Header that carries the replicas' secret. */
export const REPLICA_SECRET_HEADER = 'tributary-replica'
/** Paths that only replicas call. */
export const REPLICA_PATHS = {
  convergence: '/internal/v1/convergence',
  subscriptions: '/internal/v1/subscriptions',
  calls: '/internal/v1/calls',
  leaks: '/internal/v1/leaks',
  report: '/internal/v1/report',
} as const

/** An answer takes at most this long, beyond the time that it was asked to wait. Milliseconds. */
const ANSWER_MS = 3_000

/** Query of the convergence route, internal or not. */
export interface ConvergenceQuestion extends Pick<ConvergenceRequest, 'storeRevision' | 'timeoutMs' | 'signal'> {
  readonly tenant?: string
}

/** A report of a subscriber, as it came. */
export interface ForwardedReport {
  /** Path with query. */
  readonly path: string
  readonly authorization: string
  readonly body: unknown
  readonly signal: AbortSignal
}

const PeerSubscriptions = Type.Object({ subscriptions: Type.Array(Subscription) })
const PeerLeaks = Type.Object({ leaks: Type.Array(ObservedLeak) })

/** Asks other replicas. Every method rejects with `REPLICA_UNREACHABLE` when the peer does not answer as it should. */
export class ReplicaClient {
  readonly #directory: ReplicaDirectory

  constructor(directory: ReplicaDirectory) {
    this.#directory = directory
  }

  /** How far the peer's own subscribers are. */
  async convergence(peer: Peer, question: ConvergenceQuestion): Promise<Convergence> {
    const { storeRevision, tenant, timeoutMs, signal } = question
    const query = new URLSearchParams({ revision: `${storeRevision}`, timeoutMs: `${timeoutMs}` })
    if (tenant !== undefined) query.set('tenant', tenant)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs + ANSWER_MS)])
    return this.#get(Convergence, { peer, path: `${REPLICA_PATHS.convergence}?${query.toString()}`, signal: limit })
  }

  /** The peer's own live streams. */
  async subscriptions(peer: Peer, tenant: string | undefined): Promise<readonly Subscription[]> {
    const query = tenant === undefined ? '' : `?tenant=${encodeURIComponent(tenant)}`
    const signal = AbortSignal.timeout(ANSWER_MS)
    return (await this.#get(PeerSubscriptions, { peer, path: `${REPLICA_PATHS.subscriptions}${query}`, signal }))
      .subscriptions
  }

  /** How the peer itself is doing. */
  async report(peer: Peer): Promise<ReplicaReport> {
    return this.#get(ReplicaReport, { peer, path: REPLICA_PATHS.report, signal: AbortSignal.timeout(ANSWER_MS) })
  }

  /** What the peer was told about a tenant's calls. */
  async calls(peer: Peer, tenant: string): Promise<ReplicaCalls> {
    const path = `${REPLICA_PATHS.calls}?tenant=${encodeURIComponent(tenant)}`
    return this.#get(ReplicaCalls, { peer, path, signal: AbortSignal.timeout(ANSWER_MS) })
  }

  /** The leaks that the peer was told of in the last `maxAgeMs`. */
  async leaks(peer: Peer, maxAgeMs: number): Promise<readonly ObservedLeak[]> {
    const path = `${REPLICA_PATHS.leaks}?maxAgeMs=${maxAgeMs}`
    return (await this.#get(PeerLeaks, { peer, path, signal: AbortSignal.timeout(ANSWER_MS) })).leaks
  }

  /** Hands a report on under its sender's token; the answer is the peer's, whatever it is. */
  async forward(peer: Peer, report: ForwardedReport): Promise<{ readonly status: number; readonly text: string }> {
    const { path, authorization, body } = report
    const signal = AbortSignal.any([report.signal, AbortSignal.timeout(ANSWER_MS)])
    const headers = { authorization, 'content-type': 'application/json' }
    return asking(peer, async () => {
      const answer = await fetch(`${peer.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body), signal })
      return { status: answer.status, text: await answer.text() }
    })
  }

  async #get<Schema extends TSchema>(
    schema: Schema,
    { peer, path, signal }: { readonly peer: Peer; readonly path: string; readonly signal: AbortSignal },
  ): Promise<Static<Schema>> {
    const headers = { [REPLICA_SECRET_HEADER]: this.#directory.secret ?? '' }
    return asking(peer, async () => {
      const answer = await fetch(`${peer.url}${path}`, { headers, signal })
      const body: unknown = await answer.json()
      if (answer.ok) return Value.Parse(schema, body)
      throw new Error(`it answers ${answer.status}`)
    })
  }
}

async function asking<T>(peer: Peer, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (cause) {
    if (isAppError(cause)) throw cause
    throw failure('REPLICA_UNREACHABLE', `Replica ${peer.replicaId} does not answer at ${peer.url}; try again.`, {
      cause,
    })
  }
}
