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
import { Connecting, deliver, PATIENCE_MS } from './await-connection.js'
import { requestHeaders, responseHeaders, type PublicScheme } from './forward-headers.js'
import type { GatewayTarget } from './gateway-routing.js'
import { lookupServed } from './unserved-addresses.js'

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Passes requests on over kept connections. Close it to drop them. */
export class RequestProxy {
  private readonly keeping = new Agent({ keepAlive: true, maxFreeSockets: 8, timeout: 60_000 })
  /** A kept connection may be closed by the service just when it is used again; what must not be sent twice gets a new one. */
  private readonly single = new Agent({ keepAlive: false })

  constructor(
    private readonly scheme: PublicScheme,
    private readonly patienceMs: number = PATIENCE_MS,
  ) {}

  /**
   * Passes one request on and its answer back, both as streams. While there is no connection to the service, it is tried again, bounded, with what `find` says then:
   * nothing of the request was sent, nor of its body read.
   * Rejects, before anything was answered, with what `find` throws or AppError `GATEWAY_UPSTREAM_DOWN`. Resolves when the answer is under way.
   */
  async forward(exchange: ProxyExchange): Promise<void> {
    const attempt = (target: GatewayTarget, connectMs: number): Promise<void> =>
      this.attempt(exchange, target, connectMs)
    const isOver = (): boolean => exchange.response.destroyed
    await deliver({ find: exchange.find, attempt, isOver, patienceMs: this.patienceMs })
  }

  close(): void {
    this.keeping.destroy()
    this.single.destroy()
  }

  private attempt(exchange: ProxyExchange, target: GatewayTarget, connectMs: number): Promise<void> {
    const { request, response } = exchange
    const mayRepeat = isSafe(request) && !hasBody(request)
    return new Promise((resolve, reject) => {
      const agent = isSafe(request) ? this.keeping : this.single
      const outgoing = startRequest(request, target, { path: exchange.path, scheme: this.scheme, agent })
      const connecting = new Connecting(outgoing, connectMs, () => {
        // Not `pipeline`: it would close the caller's connection with the service's, and there is an error to answer yet.
        if (!mayRepeat) request.pipe(outgoing)
      })
      if (mayRepeat) outgoing.end()
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
        else reject(connecting.failureOf(error, { mayRepeat }))
      })
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
  if (more.agent === undefined) return startAlone(options, protocol === 'https')
  if (protocol === 'https') return httpsRequest({ ...options, servername: host })
  return httpRequest({ ...options, agent: more.agent })
}

/** On a connection that is never used again: the service may still wait for what its caller has announced and not sent. */
function startAlone(options: RequestOptions & { readonly host: string }, isSecure: boolean): ClientRequest {
  if (isSecure) return httpsRequest({ ...options, servername: options.host, agent: false })
  return httpRequest({ ...options, agent: false })
}

function answerWith(answer: IncomingMessage, exchange: ProxyExchange, target: GatewayTarget): void {
  const { request, response } = exchange
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', responseHeaders(answer, request, target))
  // A stream of events must reach its reader although no event has been sent yet.
  response.flushHeaders()
  // When either side breaks off, so does the other: a cut answer must not look like a whole one.
  pipeline(answer, response, () => undefined)
}

function isSafe(request: IncomingMessage): boolean {
  return SAFE_METHODS.has(request.method ?? '')
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
}
