import type { ClientRequest } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { failure } from '../../errors.js'
import type { GatewayTarget } from './gateway-routing.js'

/** How long new attempts at a connection are begun, milliseconds; the last may take {@link MAX_CONNECT_MS} more, after its name was looked up. */
export const PATIENCE_MS = 3_000
/**
 * How long the first attempt waits for its connection, and how much longer each further one does. A Service may name addresses whose pods or machines are gone
 * without a word: a connection keeps the address that the node chose for it, so only a new attempt finds another. Several fit into the patience; the last ones
 * wait long enough for somebody who is far away.
 */
const FIRST_CONNECT_MS = 250
const CONNECT_GROWTH = 1.5
const MAX_CONNECT_MS = 1_500
/** Name servers ask one another, and a question that was lost is asked again after 5 s. */
const LOOKUP_TIMEOUT_MS = 6_000
const FIRST_PAUSE_MS = 25
const MAX_PAUSE_MS = 400
/** Without a connection; a name that is new may not be known to every name server yet. */
const UNREACHED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'])

/** Why an attempt failed, and whether the service may have heard any of it. */
export class AttemptFailure extends Error {
  constructor(
    override readonly cause: NodeJS.ErrnoException,
    /** Nothing was sent, or what was sent may be sent twice: it can be tried again. */
    readonly isRepeatable: boolean,
  ) {
    super(cause.message)
  }
}

/** Whom a request is for, and how one attempt goes. */
export interface Delivery {
  /** Asked anew before each attempt: the service may just have moved. */
  readonly find: () => GatewayTarget
  /** Resolves when the answer is under way; rejects with {@link AttemptFailure}, at the latest `connectMs` after the name was looked up when there is no connection by then. */
  readonly attempt: (target: GatewayTarget, connectMs: number) => Promise<void>
  /** Whoever asked is gone. */
  readonly isOver: () => boolean
  readonly patienceMs: number
}

/**
 * Makes attempts until one gets through, with pauses that grow. A service that was just moved or started may be refused for a moment by a node that has
 * not heard of it yet; a caller need not learn of that.
 * Rejects with what `find` throws, or AppError `GATEWAY_UPSTREAM_DOWN` once the patience is over or the service may have heard of the request.
 */
export async function deliver({ find, attempt, isOver, patienceMs }: Delivery): Promise<void> {
  const deadline = performance.now() + patienceMs
  let connectMs = FIRST_CONNECT_MS
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
    const target = find()
    try {
      return await attempt(target, connectMs)
    } catch (error) {
      const isLast = performance.now() + pause > deadline
      if (isLast || !(error instanceof AttemptFailure && error.isRepeatable)) throw upstreamDown(target, error)
    }
    await delay(pause)
    if (isOver()) return
    connectMs = Math.min(connectMs * CONNECT_GROWTH, MAX_CONNECT_MS)
  }
}

/** Follows the connection of a request from the start; call it right after making the request. */
export class Connecting {
  #isConnected = false

  constructor(
    private readonly outgoing: ClientRequest,
    /** How long the connection may take once the name was looked up, milliseconds. */
    connectMs: number,
    /** Called once there is a connection. */
    onConnected: () => void = () => undefined,
  ) {
    const connected = (): void => {
      this.#isConnected = true
      onConnected()
    }
    outgoing.once('socket', (socket) => {
      if (!socket.connecting) return connected()
      boundConnecting(outgoing, socket, connectMs)
      socket.once('connect', connected)
    })
  }

  /** What an error of the request means. `mayRepeat`: it does no harm when the service hears it twice. */
  failureOf(error: NodeJS.ErrnoException, { mayRepeat }: { readonly mayRepeat: boolean }): AttemptFailure {
    const wasNotSent = !this.#isConnected && UNREACHED.has(error.code ?? '')
    // A kept connection that the service had closed: the usual end of one that was idle for long.
    const wasStale = error.code === 'ECONNRESET' && this.outgoing.reusedSocket
    return new AttemptFailure(error, wasNotSent || (mayRepeat && wasStale))
  }
}

/** Ends the request when its connection does not come. */
function boundConnecting(outgoing: ClientRequest, socket: Socket, connectMs: number): void {
  const giveUp = (): void => {
    if (socket.connecting) outgoing.destroy(Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' }))
  }
  // A process that was kept waiting sees its timers before the connections that were made meanwhile: those are looked at first.
  const after = (ms: number): NodeJS.Timeout => setTimeout(() => setImmediate(giveUp), ms)
  let timer = after(isIP(outgoing.host) === 0 ? LOOKUP_TIMEOUT_MS : connectMs)
  socket.once('lookup', () => {
    clearTimeout(timer)
    timer = after(connectMs)
  })
  for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer))
}

/** AppError for a service that could not be reached. */
function upstreamDown(target: GatewayTarget, error: unknown): Error {
  const { environment, service, owner, endpoint } = target
  const cause = error instanceof AttemptFailure ? error.cause : error
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  return failure(
    'GATEWAY_UPSTREAM_DOWN',
    `${service} of ${owner} at ${endpoint.host}:${endpoint.port} did not answer (${code}); see \`tributary env logs ${owner} ${service}\``,
    { cause, details: { environment, service, owner } },
  )
}
