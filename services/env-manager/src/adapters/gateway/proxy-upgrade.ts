import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { responseHeaders, type PublicScheme } from './forward-headers.js'
import { asGatewayError, errorPage } from './gateway-pages.js'
import type { GatewayTarget } from './gateway-routing.js'
import { startRequest, upstreamDown } from './proxy-request.js'

/** A request to switch protocols (WebSocket), and the raw connection that it came on. */
export interface UpgradeExchange {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** Bytes that came right after the request. */
  readonly head: Buffer
  readonly path: string
  readonly scheme: PublicScheme
  readonly find: () => GatewayTarget
}

/** Passes the request on and, when the service agrees, ties both connections together. Never rejects: failures are answered on the socket. */
export function forwardUpgrade(exchange: UpgradeExchange): void {
  const { request, socket, head, scheme } = exchange
  socket.on('error', () => socket.destroy())
  try {
    const target = exchange.find()
    const extraHeaders = ['connection', 'upgrade', 'upgrade', request.headers.upgrade ?? 'websocket']
    const outgoing = startRequest(request, target, { path: exchange.path, scheme, extraHeaders })
    socket.once('close', () => outgoing.destroy())
    outgoing.once('upgrade', (answer, upstream, first) => {
      writeHead(socket, answer, [
        ...responseHeaders(answer, request, target),
        'connection',
        'upgrade',
        'upgrade',
        answer.headers.upgrade ?? 'websocket',
      ])
      join(socket, upstream, { toClient: first, toUpstream: head })
    })
    outgoing.once('response', (answer) => {
      writeHead(socket, answer, [...responseHeaders(answer, request, target), 'connection', 'close'])
      answer.pipe(socket)
    })
    outgoing.once('error', (error) => refuse(socket, upstreamDown(target, error)))
    outgoing.end()
  } catch (error) {
    refuse(socket, error)
  }
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
