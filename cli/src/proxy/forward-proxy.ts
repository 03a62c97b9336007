import {
  createServer,
  request as startRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { connect as openSocket, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import { createAgents, isAppError, withRoutingContext, type Tributary } from '@tributary/sdk'
import { passedHeaders } from './passed-headers.js'

/** How a {@link createForwardProxy} deals with hosts that are not services of the system. */
export interface ForwardProxyOptions {
  /** `deny`: only services of the system are reached. */
  readonly outside: 'allow' | 'deny'
  /** Ports outside of the system that CONNECT may lead to. */
  readonly connectPorts: readonly number[]
}

const CONNECT_TIMEOUT_MS = 10_000
const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n'

/**
 * A forward proxy (`HTTP_PROXY`) for programs without the SDK: `http://orders/…` goes to the copy of `orders` that the tenant in the
 * request's baggage sees, and bears the tenant on; a request without one counts for the proxy's own environment. Everybody else gets the
 * request without the tenant. `CONNECT` is passed through to `https` hosts unseen, so nothing is added to it. The caller closes it.
 */
export function createForwardProxy(client: Tributary, options: ForwardProxyOptions): Server {
  const agents = createAgents(client)
  const via = `1.1 tributary-${client.instance}`
  const server = createServer(
    withRoutingContext(client, (request: IncomingMessage, response: ServerResponse) => {
      const target = targetOf(request)
      if (target === undefined) return answerItself(request, response)
      if (request.headers.via?.includes(via) === true)
        return refuse(response, { status: 508, message: 'the request came here a second time' })
      if (!isAllowed(client, options, { host: target.hostname, port: Number(target.port) || 80 })) {
        return refuse(response, {
          status: 403,
          message: `${target.host} is not a service of the system, and this proxy leads nowhere else`,
        })
      }
      forward({ request, response, target, agent: agents.httpAgent, via })
    }),
  )
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnel(client, options, { request, socket, head })
  })
  server.on('close', () => agents.httpAgent.destroy())
  return server
}

interface Forwarded {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly target: URL
  readonly agent: ReturnType<typeof createAgents>['httpAgent']
  readonly via: string
}

function forward({ request, response, target, agent, via }: Forwarded): void {
  const headers = {
    ...passedHeaders(request),
    host: target.host,
    via: [request.headers.via, via].filter(Boolean).join(', '),
  }
  const upstream = startRequest({
    agent,
    method: request.method,
    host: unbracketed(target.hostname),
    port: target.port,
    path: `${target.pathname}${target.search}`,
    headers,
  })
  upstream.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, passedHeaders(answer))
    // A broken end is told to the client by the broken connection: the status has gone out already.
    pipeline(answer, response, () => undefined)
  })
  upstream.once('error', (error) =>
    refuse(response, { status: 502, message: `${target.host}: ${error.message}`, cause: error }),
  )
  response.once('close', () => upstream.destroy())
  pipeline(request, upstream, () => undefined)
}

interface Tunnelled {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

function tunnel(client: Tributary, options: ForwardProxyOptions, { request, socket, head }: Tunnelled): void {
  socket.on('error', () => socket.destroy())
  const target = authorityOf(request.url ?? '')
  if (target === undefined) return endTunnel(socket, '400 Bad Request', 'CONNECT wants host:port')
  const isService = client.routing.hasService(target.host)
  const mayLead = isService || options.connectPorts.includes(target.port)
  if (!mayLead || !isAllowed(client, options, target)) {
    return endTunnel(socket, '403 Forbidden', `this proxy does not lead to ${target.host}:${target.port}`)
  }
  const { tenant } = client.routing.accept([request.headers['baggage'] ?? []].flat().join(',') || undefined)
  const endpoint = isService ? client.pick(target.host, tenant === undefined ? {} : { tenant }) : target
  if (endpoint === undefined) return endTunnel(socket, '502 Bad Gateway', `${target.host} has no address here`)
  pass(socket, openSocket(endpoint.port, endpoint.host), head)
}

function pass(socket: Duplex, upstream: Socket, head: Buffer): void {
  upstream.setTimeout(CONNECT_TIMEOUT_MS, () => upstream.destroy(new Error('no connection in time')))
  upstream.once('connect', () => {
    upstream.setTimeout(0)
    socket.write(ESTABLISHED)
    upstream.write(head)
    pipeline(socket, upstream, () => upstream.destroy())
    pipeline(upstream, socket, () => socket.destroy())
  })
  upstream.once('error', (error) => {
    if (upstream.connecting || upstream.bytesRead === 0) endTunnel(socket, '502 Bad Gateway', error.message)
    else socket.destroy()
  })
  socket.once('close', () => upstream.destroy())
}

function endTunnel(socket: Duplex, status: string, message: string): void {
  const body = `${message}\n`
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

/** A proxy is asked with a whole URL (RFC 9112, 3.2.2); undefined: the request is for the proxy itself. */
function targetOf({ url = '' }: IncomingMessage): URL | undefined {
  if (!/^http:\/\//i.test(url) || !URL.canParse(url)) return undefined
  return new URL(url)
}

function authorityOf(authority: string): { readonly host: string; readonly port: number } | undefined {
  const url =
    /^[^/?#@\s]+:[0-9]{1,5}$/.test(authority) && URL.canParse(`http://${authority}`)
      ? new URL(`http://${authority}`)
      : undefined
  if (url === undefined) return undefined
  return { host: unbracketed(url.hostname), port: Number(url.port) || 80 }
}

function unbracketed(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}

function isAllowed(
  client: Tributary,
  { outside }: ForwardProxyOptions,
  target: { readonly host: string; readonly port: number },
): boolean {
  if (outside === 'allow') return true
  const { routing } = client
  return routing.hasService(target.host) || routing.serviceAt(target.host, target.port) !== undefined
}

function answerItself(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/healthz') return void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n')
  refuse(response, {
    status: 400,
    message: 'this is a proxy: set HTTP_PROXY to its address, and call http://<service>/',
  })
}

interface Refusal {
  readonly status: number
  readonly message: string
  readonly cause?: unknown
}

function refuse(response: ServerResponse, { status, message, cause }: Refusal): void {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const code = isAppError(cause) ? cause.code : 'PROXY_REFUSED'
  response.writeHead(status, { 'content-type': 'application/json', 'x-tributary-error': code })
  response.end(`${JSON.stringify({ error: { code, message } })}\n`)
}
