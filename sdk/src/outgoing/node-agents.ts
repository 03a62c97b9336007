import { Agent as HttpAgent, type AgentOptions, type ClientRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import { isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { CALLER_HEADER } from '@tributary/contract/light'
import { sdkError } from '../errors.js'
import type { Tributary } from '../tributary.js'
import { runWithContext } from '../context/routing-context.js'
import { endpointElsewhere, planCall, type CallPlan, type CallTarget } from './call-plan.js'
import { handOver } from './moving-connection.js'
import { baggageToOutside, baggageToService } from './outgoing-baggage.js'

/** Agents for node:http and node:https, by the names that axios gives them. */
export interface RoutingAgents {
  readonly httpAgent: HttpAgent
  readonly httpsAgent: HttpsAgent
}

type Secure = 'http' | 'https'

/** What node gives an agent to add to a request; it sets `host` and `port` from the URL. */
interface RequestTarget extends RequestOptions {
  readonly servername?: string
  readonly [FAILURE]?: Error
  readonly [MOVED]?: (refused: RequestTarget) => RequestTarget | undefined
}

/** How node hands a request to its agent: every client library that takes an agent relies on it, but the types leave it out. */
type AddRequest = (this: HttpAgent, request: ClientRequest, options: RequestTarget) => void
interface AgentInternals {
  readonly addRequest: AddRequest
}

const FAILURE = Symbol('tributary.failure')
const MOVED = Symbol('tributary.moved')
const addRequestOfNode = (HttpAgent.prototype as unknown as AgentInternals).addRequest
type CreateConnection = HttpAgent['createConnection']

/**
 * Agents that send `http://orders/…` to the copy of `orders` that the current request's tenant sees, with its routing context, and keep
 * the context from everybody else: `http.get(url, { agent: httpAgent })`, `axios.create(createAgents(client))`,
 * `got.extend({ agent: { http: httpAgent, https: httpsAgent } })`. They keep connections alive unless told otherwise; redirects that the
 * client library follows are judged hop by hop. A connection that is refused is made once more, to where the service is by then. A call
 * that cannot be made fails as a connection would: an `error` of the request. `maxSockets` counts a connection once it is made, so requests
 * that come together while there is none yet may open more.
 *
 * A request is changed before it has a connection, so a header list given as an array, or `Expect`, which node writes at once, fail with
 * `CONTEXT_HEADERS_FIXED` where the context would have to be added or removed.
 */
export function createAgents(client: Tributary, options: AgentOptions & HttpsAgentOptions = {}): RoutingAgents {
  const httpAgent = new HttpAgent({ keepAlive: true, ...options })
  const httpsAgent = new HttpsAgent({ keepAlive: true, ...options })
  return { httpAgent: route(client, httpAgent, 'http'), httpsAgent: route(client, httpsAgent, 'https') }
}

function route<Agent extends HttpAgent>(client: Tributary, agent: Agent, secure: Secure): Agent {
  const createConnection: CreateConnection = agent.createConnection.bind(agent)
  const addRequest: AddRequest = (request, options) => {
    addRequestOfNode.call(agent, request, routed(client, secure, { request, options }))
  }
  const connect = (options: RequestTarget, callback?: (error: Error | null, stream: Duplex) => void) => {
    const failure = options[FAILURE]
    if (failure === undefined) return connectOrMove(createConnection, options, callback)
    // node hands the error on to the request, as that of a connection that failed.
    ;(callback as ((error: Error) => void) | undefined)?.(failure)
    return undefined
  }
  return Object.assign(agent, { addRequest, createConnection: connect })
}

function routed(
  client: Tributary,
  secure: Secure,
  { request, options }: { readonly request: ClientRequest; readonly options: RequestTarget },
): RequestTarget {
  try {
    const target: CallTarget = { ...targetOf(options, secure), protocols: [secure] }
    const plan = planCall(client, target)
    writeBaggage(client, request, plan)
    nameCaller(client, request, plan)
    if (plan.kind !== 'service') return options
    const { endpoint } = plan
    const context = client.routing.contextOfCall()
    return {
      ...moved(request, options, { secure, endpoint }),
      [MOVED]: (refused: RequestTarget) => {
        const next = runWithContext(context, () => endpointElsewhere(client, target, endpoint))
        return next === undefined ? undefined : movedAgain(request, refused, { secure, from: endpoint, to: next })
      },
    }
  } catch (error) {
    return { ...options, [FAILURE]: error instanceof Error ? error : new Error(String(error)) }
  }
}

function targetOf(options: RequestTarget, secure: Secure) {
  const defaultPort = secure === 'https' ? 443 : 80
  // A socket in the file system is nobody's host.
  const host = options.socketPath ? '' : (options.host ?? options.hostname ?? 'localhost').toLowerCase()
  const port = options.port === undefined || options.port === null ? undefined : Number(options.port)
  return { host, port: port === defaultPort ? undefined : port, defaultPort }
}

function writeBaggage(client: Tributary, request: ClientRequest, plan: CallPlan): void {
  const written = writtenBaggage(request)
  const baggage =
    plan.kind === 'outside' ? baggageToOutside(written) : baggageToService(client.routing.contextOfCall(), written)
  if (baggage === written) return
  if (request.headersSent) {
    const attempt = `cannot change the baggage of ${request.method} ${request.path} at ${request.host}`
    throw sdkError(
      'CONTEXT_HEADERS_FIXED',
      `${attempt}: node has written its headers; give them as an object, without Expect`,
    )
  }
  if (baggage === undefined) request.removeHeader('baggage')
  else request.setHeader('baggage', baggage)
}

/** A leak is told by who made the call; this says so. undici's calls are named where they are observed. */
function nameCaller({ service }: Tributary, request: ClientRequest, plan: CallPlan): void {
  if (plan.kind === 'outside' || service === undefined || request.headersSent) return
  if (!request.hasHeader(CALLER_HEADER)) request.setHeader(CALLER_HEADER, service)
}

function writtenBaggage(request: ClientRequest): string | undefined {
  const value = request.getHeader('baggage')
  return value === undefined ? undefined : Array.isArray(value) ? value.join(',') : String(value)
}

type Callback = (error: Error | null, stream: Duplex) => void

function connectOrMove(
  createConnection: CreateConnection,
  options: RequestTarget,
  callback: Callback | undefined,
): Duplex | null | undefined {
  const { [MOVED]: move } = options
  if (move === undefined || callback === undefined) return createConnection(options, callback)
  const first = createConnection(options)
  // An agent with connections of its own making: they are its own business.
  if (!(first instanceof Socket)) return first
  const elsewhere = (): Socket | undefined => {
    const target = move(options)
    const next = target === undefined ? undefined : createConnection(target)
    return next instanceof Socket ? next : undefined
  }
  // node hands an error on without a stream, which the type leaves out.
  handOver(first, { callback: callback as (error: Error | null, socket?: Socket) => void, elsewhere })
  return undefined
}

/**
 * Where a request goes whose connection was refused. Undefined: its head names the host that refused and is written already, and hosts
 * with names may be told apart by them; addresses are nobody's virtual host.
 */
function movedAgain(
  request: ClientRequest,
  options: RequestTarget,
  { secure, from, to }: { readonly secure: Secure; readonly from: HostAndPort; readonly to: HostAndPort },
): RequestTarget | undefined {
  const isWritten = request.headersSent
  if (isWritten && (isIP(from.host) === 0 || isIP(to.host) === 0)) return undefined
  // The agent files the connection under the address that refused: it must not be used again.
  request.shouldKeepAlive = false
  if (!isWritten && request.getHeader('host') === hostHeader(from.host, from.port, secure)) {
    request.setHeader('host', hostHeader(to.host, to.port, secure))
  }
  const servername = isIP(to.host) === 0 ? to.host : ''
  return { ...options, host: to.host, hostname: to.host, port: to.port, servername }
}

interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** `Host` and the name that TLS asks for follow the address, unless the program chose a host of its own. */
function moved(
  request: ClientRequest,
  options: RequestTarget,
  { secure, endpoint }: { readonly secure: Secure; readonly endpoint: HostAndPort },
): RequestTarget {
  const { host, port } = endpoint
  if (request.headersSent) {
    throw sdkError(
      'CONTEXT_HEADERS_FIXED',
      `cannot move ${request.method} ${request.path}: node has written its headers`,
    )
  }
  if (request.getHeader('host') === hostHeader(options.host ?? '', options.port, secure)) {
    request.setHeader('host', hostHeader(host, port, secure))
  }
  const { servername: _former, ...rest } = options
  return { ...rest, host, hostname: host, port }
}

function hostHeader(host: string, port: number | string | null | undefined, secure: Secure): string {
  const bracketed = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  const isDefault = port === undefined || port === null || Number(port) === (secure === 'https' ? 443 : 80)
  return isDefault ? bracketed : `${bracketed}:${port}`
}
