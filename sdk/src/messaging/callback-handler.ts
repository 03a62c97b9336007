import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream'
import type { ErrorBody } from '@tributary/contract'
import { BaggageMember, TENANT_MEMBER, formatBaggage, parseBaggage } from '../context/baggage.js'
import { enterRequest } from '../context/enter-request.js'
import { isTenantKey } from '../context/routing.js'
import { messageOf } from '../diagnostics.js'
import type { Tributary } from '../tributary.js'
import type { ReceivedCallback } from './callbacks.js'

/** Passes a request on to the program; `next` of the usual middleware. */
export type NextHandler = () => void

/** Set on a callback that was passed on, so that two copies that disagree for a moment do not play ball with it. */
const PASSED_ON_HEADER = 'x-tributary-callback-passed-on'
const PASS_ON_TIMEOUT_MS = 30_000
/** RFC 9110, 7.6.1: of one connection only. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']

type Refusal = Extract<ReceivedCallback, { readonly reason: string }>

const REFUSALS = {
  gone: { status: 410, kind: 'gone', code: 'CALLBACK_ENVIRONMENT_GONE' },
  expired: { status: 410, kind: 'gone', code: 'CALLBACK_EXPIRED' },
  forged: { status: 403, kind: 'permission_denied', code: 'CALLBACK_FORGED' },
  unknown: { status: 503, kind: 'unavailable', code: 'SDK_NOT_READY' },
} as const

/**
 * A handler for node:http that stands before all others, routing context and health endpoints included. It takes the token out of `request.url` of a callback and calls `next` in the
 * context of the environment that made the URL; passes the request on when another copy of the service is to answer; and answers 410, 403
 * or 503 with an explanation when nobody is. Ordinary requests go straight to `next`.
 * @example createServer((request, response) => callbacks(request, response, () => app(request, response)))
 */
export function createCallbackHandler(
  client: Tributary,
): (request: IncomingMessage, response: ServerResponse, next: NextHandler) => void {
  return (request, response, next) => {
    const received = client.receiveCallback(request.url ?? '/')
    if (received.state === 'none') next()
    else if (received.state === 'here') runHere(client, { request, response }, { callback: received, next })
    else if (received.state === 'elsewhere') passOn(request, response, received.url)
    else refuse(response, received)
  }
}

function runHere(
  client: Tributary,
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  run: { readonly callback: Extract<ReceivedCallback, { readonly state: 'here' }>; readonly next: NextHandler },
): void {
  const { tenant, path } = run.callback
  request.url = path
  const present = [request.headers['baggage'] ?? []].flat().join(',')
  const foreign = parseBaggage(present).members.filter(({ key }) => !isTenantKey(key))
  const own = tenant === undefined ? undefined : BaggageMember.of(TENANT_MEMBER, tenant)
  // As if the third party had sent it: whoever looks at the request sees one context.
  request.headers['baggage'] = formatBaggage(own === undefined ? foreign : [own, ...foreign])
  enterRequest(client.routing, { request, response }, run.next)
}

function passOn(request: IncomingMessage, response: ServerResponse, url: string): void {
  if (request.headers[PASSED_ON_HEADER] !== undefined) {
    return refuse(response, { state: 'unknown', reason: 'two copies of the service disagree who answers; try again' })
  }
  const start = url.startsWith('https:') ? httpsRequest : httpRequest
  const headers: Record<string, string | string[]> = { [PASSED_ON_HEADER]: '1' }
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !HOP_BY_HOP.includes(name)) headers[name] = value
  }
  // Without it a GET or DELETE with a chunked body would go on without a frame.
  if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked'
  const outgoing = start(url, { method: request.method ?? 'GET', headers, timeout: PASS_ON_TIMEOUT_MS })
  outgoing.once('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer))
    pipeline(answer, response, () => undefined)
  })
  outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${PASS_ON_TIMEOUT_MS} ms`)))
  outgoing.once('error', (error) => {
    if (response.headersSent) response.destroy()
    else
      refuse(response, {
        state: 'unknown',
        reason: `the copy that is to answer cannot be reached: ${messageOf(error)}`,
      })
  })
  response.once('close', () => outgoing.destroy())
  request.pipe(outgoing)
}

function withoutHopByHop(answer: IncomingMessage): string[] {
  const headers: string[] = []
  for (let index = 0; index + 1 < answer.rawHeaders.length; index += 2) {
    const name = answer.rawHeaders[index] ?? ''
    if (!HOP_BY_HOP.includes(name.toLowerCase())) headers.push(name, answer.rawHeaders[index + 1] ?? '')
  }
  return headers
}

function refuse(response: ServerResponse, { state, reason }: Refusal): void {
  const { status, kind, code } = REFUSALS[state]
  const body: ErrorBody = { error: { kind, code, message: reason, retryable: state === 'unknown', details: {} } }
  const retry = state === 'unknown' ? { 'retry-after': '1' } : {}
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store', ...retry })
    .end(`${JSON.stringify(body)}\n`)
}
