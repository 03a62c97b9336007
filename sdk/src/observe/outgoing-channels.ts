import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'
import { CALLER_HEADER, PROBE_HEADER } from '@tributary/contract/light'
import { parseBaggage, TENANT_MEMBER } from '../context/baggage.js'
import { activeContext } from '../context/routing-context.js'
import type { CallObserver, EndOfCall } from './call-observer.js'
import { takeCounted } from './own-dispatch.js'
import { ServedRequest } from './served-request.js'
import { traceIdOf } from './trace-id.js'
import type { ArrivedRequest, ArrivedResponse } from './unserved-requests.js'

/** An observer with what is needed to tell which calls are its own. */
export interface ObservedProcess {
  readonly observer: CallObserver
  /** The service that makes its calls. */
  readonly service: string
  /** The service of the system at an address; undefined: outside. */
  readonly serviceAt: (host: string, port: number) => string | undefined
}

/** What undici hands out; the fields that are read here. */
interface UndiciRequest {
  readonly origin?: string | URL | null
  readonly method?: string
  readonly path?: string
  readonly headers?: unknown
  readonly addHeader?: (name: string, value: string) => unknown
}

interface Message {
  readonly request: unknown
  readonly response?: { readonly statusCode?: number }
}

interface Address {
  readonly host: string
  readonly port: number
}

const SERVER_ERROR = 500
const OWN_BAGGAGE = new RegExp(`^${TENANT_MEMBER}=([a-z0-9-]+)(?:,(?!.*${TENANT_MEMBER})|$)`)
const MAX_ADDRESSES = 2_000

const processes = new Set<ObservedProcess>()
/** A server does not say whose it is: with several clients in one process, only the middleware can. */
let only: ObservedProcess | undefined
const pending = new WeakMap<object, EndOfCall>()
const addresses = new Map<string, Address | undefined>()

type Handlers = Readonly<Record<string, (message: unknown) => void>>

/** What begins in this process. */
const BEGINNINGS: Handlers = {
  'undici:request:create': onUndiciRequest,
  'http.client.request.start': onNodeRequest,
  'http.server.request.start': onArrival,
}

/** How the calls end that were seen to begin. */
const ENDS: Handlers = {
  'undici:request:headers': onAnswer,
  'undici:request:error': onError,
  'http.client.response.finish': onAnswer,
  'http.client.request.error': onError,
}

/** Whether ends are watched: from the first call on whose end is waited for. A program whose calls all bear their tenant never has one. */
let watchesEnds = false

/**
 * Watches all calls that this Node process makes with undici, `fetch` or node:http, by whatever library, through node's diagnostics
 * channels: a call that goes around the SDK's dispatcher is the very one that loses its context. Answers how to stop it.
 */
export function observeOutgoing(observed: ObservedProcess): () => void {
  if (processes.size === 0) subscribeAll(BEGINNINGS)
  processes.add(observed)
  noteOnly()
  return () => {
    processes.delete(observed)
    noteOnly()
    if (processes.size === 0) stopWatching()
  }
}

function subscribeAll(handlers: Handlers): void {
  for (const [name, handler] of Object.entries(handlers)) subscribe(name, handler)
}

function watchEnds(): void {
  if (watchesEnds) return
  watchesEnds = true
  subscribeAll(ENDS)
}

function stopWatching(): void {
  // Ends that nobody has begun to watch have no subscription; taking it away does nothing.
  for (const [name, handler] of Object.entries({ ...BEGINNINGS, ...ENDS })) unsubscribe(name, handler)
  watchesEnds = false
}

function noteOnly(): void {
  const [first] = processes
  only = processes.size === 1 ? first : undefined
}

function onUndiciRequest(message: unknown): void {
  if (takeCounted()) return
  const { request } = message as { readonly request: UndiciRequest }
  const { headers, origin, method = 'GET', path = '/' } = request
  const address = addressOf(String(origin ?? ''))
  if (address === undefined || !Array.isArray(headers)) return
  const caller = begin(request, { address, method, path, header: (name) => flatHeader(headers, name) })
  if (caller !== undefined && flatHeader(headers, CALLER_HEADER) === undefined)
    request.addHeader?.(CALLER_HEADER, caller)
}

function onNodeRequest(message: unknown): void {
  const { request } = message as { readonly request: ClientRequest }
  const host = request.getHeader('host')
  const address = typeof host === 'string' ? addressOf(`${request.protocol}//${host}`) : undefined
  if (address === undefined) return
  begin(request, {
    address,
    method: request.method,
    path: request.path,
    header: (name) => textOf(request.getHeader(name)),
  })
}

function onAnswer(message: unknown): void {
  const { request, response } = message as Message
  end(request, (response?.statusCode ?? 0) >= SERVER_ERROR)
}

function onError(message: unknown): void {
  end((message as Message).request, true)
}

interface ServerMessage {
  readonly request: ArrivedRequest
  readonly response: ArrivedResponse
}

function onArrival(message: unknown): void {
  const { request, response } = message as ServerMessage
  only?.observer.arrive(request, response)
}

interface BegunCall {
  readonly address: Address
  readonly method: string
  readonly path: string
  readonly header: (name: string) => string | undefined
}

/** Answers the service that makes the call, when it is one to a service of the system. */
function begin(request: object, { address, method, path, header }: BegunCall): string | undefined {
  if (header(PROBE_HEADER) !== undefined) return undefined
  const context = activeContext()
  const serving = ServedRequest.find(context)
  for (const candidate of processes) {
    // Several clients in one process: a call belongs to the one that serves the request. Outside of any, each may be the one.
    if (serving !== undefined && serving.observer !== candidate.observer) continue
    const service = candidate.serviceAt(address.host, address.port)
    if (service === undefined) continue
    const tenant = tenantIn(header('baggage'))
    const call = {
      service,
      method,
      path,
      tenant,
      context,
      // Looked at only when the call bears no tenant.
      get traceId() {
        return traceIdOf(header('traceparent'))
      },
    }
    watchEnds()
    pending.set(request, candidate.observer.call(call))
    return candidate.service
  }
  return undefined
}

function end(request: unknown, failed: boolean): void {
  if (typeof request !== 'object' || request === null) return
  pending.get(request)?.(failed)
  pending.delete(request)
}

function tenantIn(baggage: string | undefined): string | undefined {
  if (baggage?.includes(TENANT_MEMBER) !== true) return undefined
  // As the SDK itself writes it: first, and a plain name.
  const [, first] = OWN_BAGGAGE.exec(baggage) ?? []
  if (first !== undefined) return first
  return parseBaggage(baggage).members.find(({ key }) => key === TENANT_MEMBER)?.value
}

function flatHeader(headers: readonly unknown[], name: string): string | undefined {
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const key = headers[index]
    if (typeof key === 'string' && key.length === name.length && key.toLowerCase() === name)
      return textOf(headers[index + 1])
  }
  return undefined
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(',')
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** Origins are few, but they may come from data: parsed ones are remembered up to a bound. */
function addressOf(origin: string): Address | undefined {
  const known = addresses.get(origin)
  if (known !== undefined || addresses.has(origin)) return known
  if (addresses.size >= MAX_ADDRESSES) addresses.clear()
  const address = parseAddress(origin)
  addresses.set(origin, address)
  return address
}

function parseAddress(origin: string): Address | undefined {
  if (!URL.canParse(origin)) return undefined
  const { hostname, port, protocol } = new URL(origin)
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
  return { host, port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port) }
}
