import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream'
import { failure } from '../../errors.js'
import { requestHeaders, responseHeaders, type PublicScheme } from './forward-headers.js'
import type { GatewayTarget } from './gateway-routing.js'
import { lookupServed } from './unserved-addresses.js'

/**
 * A connection that is not there after this will not come: who should answer is gone without a word, or the network has not heard of it yet, and then
 * only a new attempt finds it.
 */
const CONNECT_TIMEOUT_MS = 3_000
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Passes requests on over kept connections. Close it to drop them. */
export class RequestProxy {
  private readonly keeping = new Agent({ keepAlive: true, maxFreeSockets: 8, timeout: 60_000 })
  /** A kept connection may be closed by the service just when it is used again; what must not be sent twice gets a new one. */
  private readonly single = new Agent({ keepAlive: false })

  constructor(private readonly scheme: PublicScheme) {}

  /**
   * Passes one request on and its answer back, both as streams. A safe request whose connection is refused, or does not come, is tried once more with what `find` says
   * then: the service may just have moved to a newer copy.
   * Rejects, before anything was answered, with what `find` throws or AppError `GATEWAY_UPSTREAM_DOWN`. Resolves when the answer is under way.
   */
  async forward(exchange: ProxyExchange): Promise<void> {
    const target = exchange.find()
    try {
      await this.attempt(exchange, target)
    } catch (error) {
      if (!mayTryAgain(exchange.request, error)) throw upstreamDown(target, error)
      const second = exchange.find()
      await this.attempt(exchange, second).catch((again: unknown) => {
        throw upstreamDown(second, again)
      })
    }
  }

  close(): void {
    this.keeping.destroy()
    this.single.destroy()
  }

  private attempt(exchange: ProxyExchange, target: GatewayTarget): Promise<void> {
    const { request, response } = exchange
    return new Promise((resolve, reject) => {
      const outgoing = startRequest(request, target, {
        path: exchange.path,
        scheme: this.scheme,
        agent: isSafe(request) ? this.keeping : this.single,
      })
      const abandon = (): void => void outgoing.destroy()
      response.once('close', abandon)
      outgoing.once('response', (answer) => {
        answerWith(answer, exchange, target)
        resolve()
      })
      // Informational answers such as 103 are not passed on; a switch of protocols was not asked for here.
      outgoing.once('upgrade', (_, socket) => socket.destroy())
      outgoing.on('error', (error) => {
        response.off('close', abandon)
        if (response.destroyed) resolve()
        else reject(Object.assign(error, { reusedSocket: outgoing.reusedSocket }))
      })
      if (isSafe(request) && !hasBody(request)) outgoing.end()
      // Not `pipeline`: it would close the caller's connection with the service's, and there is an error to answer yet.
      else request.pipe(outgoing)
    })
  }
}

/** A request, where its answer goes, and how to find who answers. */
export interface ProxyExchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Path and query for the service. */
  readonly path: string
  readonly find: () => GatewayTarget
}

/** A request to the target like the one that came in. */
export function startRequest(
  incoming: IncomingMessage,
  target: GatewayTarget,
  more: {
    readonly path: string
    readonly scheme: PublicScheme
    /** Default: a connection of its own. */
    readonly agent?: Agent
    readonly extraHeaders?: readonly string[]
  },
): ClientRequest {
  const { host, port, protocol } = target.endpoint
  const options = {
    host,
    port,
    path: more.path,
    method: incoming.method ?? 'GET',
    headers: [...requestHeaders(incoming, target, more.scheme), ...(more.extraHeaders ?? [])],
    setHost: false,
    lookup: lookupServed,
  }
  if (more.agent === undefined) return boundConnecting(startAlone(options, protocol === 'https'))
  if (protocol === 'https') return boundConnecting(httpsRequest({ ...options, servername: host }))
  return boundConnecting(httpRequest({ ...options, agent: more.agent }))
}

/** On a connection that is never used again: the service may still wait for what its caller has announced and not sent. */
function startAlone(options: RequestOptions & { readonly host: string }, isSecure: boolean): ClientRequest {
  if (isSecure) return httpsRequest({ ...options, servername: options.host, agent: false })
  return httpRequest({ ...options, agent: false })
}

function boundConnecting(outgoing: ClientRequest): ClientRequest {
  outgoing.once('socket', (socket) => {
    if (!socket.connecting) return
    const giveUp = (): void => void outgoing.destroy(Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' }))
    const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS)
    for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer))
  })
  return outgoing
}

/** AppError for a service that could not be reached. */
export function upstreamDown(target: GatewayTarget, cause: unknown): Error {
  const { environment, service, owner, endpoint } = target
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer'
  return failure(
    'GATEWAY_UPSTREAM_DOWN',
    `${service} of ${owner} at ${endpoint.host}:${endpoint.port} did not answer (${code}); see \`tributary env logs ${owner} ${service}\``,
    { cause, details: { environment, service, owner } },
  )
}

function answerWith(answer: IncomingMessage, exchange: ProxyExchange, target: GatewayTarget): void {
  const { request, response } = exchange
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', responseHeaders(answer, request, target))
  // A stream of events must reach its reader although no event has been sent yet.
  response.flushHeaders()
  // When either side breaks off, so does the other: a cut answer must not look like a whole one.
  pipeline(answer, response, () => undefined)
}

function mayTryAgain(request: IncomingMessage, error: unknown): boolean {
  if (!isSafe(request) || hasBody(request) || !(error instanceof Error) || !('code' in error)) return false
  return (
    error.code === 'ECONNREFUSED' ||
    error.code === 'ETIMEDOUT' ||
    (error.code === 'ECONNRESET' && 'reusedSocket' in error && error.reusedSocket === true)
  )
}

function isSafe(request: IncomingMessage): boolean {
  return SAFE_METHODS.has(request.method ?? '')
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}
