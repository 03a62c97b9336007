import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Connecting, deliver, PATIENCE_MS } from './await-connection.js'
import { responseHeaders, type PublicScheme } from './forward-headers.js'
import { asGatewayError, errorPage } from './gateway-pages.js'
import type { GatewayTarget } from './gateway-routing.js'
import { startRequest } from './proxy-request.js'

/** A request to switch protocols (WebSocket), and the raw connection that it came on. */
export interface UpgradeExchange {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** Bytes that came right after the request. */
  readonly head: Buffer
  readonly path: string
  readonly scheme: PublicScheme
  readonly find: () => GatewayTarget
  /** How long a connection is tried for, milliseconds. Default: as for any request. */
  readonly patienceMs?: number
}

/**
 * Passes the request on and, when the service agrees, ties both connections together. While there is no connection to the service, it is tried again, bounded.
 * Never rejects: failures are answered on the socket.
 */
export async function forwardUpgrade(exchange: UpgradeExchange): Promise<void> {
  const { socket, find, patienceMs = PATIENCE_MS } = exchange
  socket.on('error', () => socket.destroy())
  try {
    const attempt = (target: GatewayTarget, connectMs: number): Promise<void> =>
      attemptUpgrade(exchange, target, connectMs)
    await deliver({ find, attempt, isOver: () => socket.destroyed, patienceMs })
  } catch (error) {
    refuse(socket, error)
  }
}

function attemptUpgrade(
  { request, socket, head, path, scheme }: UpgradeExchange,
  target: GatewayTarget,
  connectMs: number,
): Promise<void> {
  const switching = ['connection', 'upgrade', 'upgrade', request.headers.upgrade ?? 'websocket']
  return new Promise((resolve, reject) => {
    const outgoing = startRequest(request, target, { path, scheme, extraHeaders: switching })
    const connecting = new Connecting(outgoing, connectMs)
    const abandon = (): void => void outgoing.destroy()
    socket.once('close', abandon)
    outgoing.once('upgrade', (answer, upstream, first) => {
      const agreed = ['connection', 'upgrade', 'upgrade', answer.headers.upgrade ?? 'websocket']
      writeHead(socket, answer, [...responseHeaders(answer, request, target), ...agreed])
      join(socket, upstream, { toClient: first, toUpstream: head })
      resolve()
    })
    outgoing.once('response', (answer) => {
      writeHead(socket, answer, [...responseHeaders(answer, request, target), 'connection', 'close'])
      answer.pipe(socket)
      resolve()
    })
    outgoing.on('error', (error) => {
      socket.off('close', abandon)
      reject(connecting.failureOf(error, { mayRepeat: false }))
    })
    outgoing.end()
  })
}

/** Answers a request to switch protocols with an error. */
export function refuse(socket: Duplex, error: unknown): void {
  const { status, json } = errorPage(asGatewayError(error))
  const body = `${JSON.stringify(json)}\n`
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function writeHead(socket: Duplex, answer: IncomingMessage, headers: readonly string[]): void {
  let text = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`
  for (let index = 0; index + 1 < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`
  socket.write(`${text}\r\n`, 'latin1')
}

function join(
  client: Duplex,
  upstream: Duplex,
  first: { readonly toClient: Buffer; readonly toUpstream: Buffer },
): void {
  upstream.on('error', () => client.destroy())
  upstream.once('close', () => client.destroy())
  client.once('close', () => upstream.destroy())
  if (first.toClient.length > 0) client.write(first.toClient)
  if (first.toUpstream.length > 0) upstream.write(first.toUpstream)
  client.pipe(upstream).pipe(client)
  // Nobody half-closes a WebSocket: when one side has ended, and the other has been told all of it, both are done.
  for (const side of [client, upstream]) side.once('finish', () => side.destroy())
}
