import { Agent as HttpAgent, type AgentOptions, type ClientRequest, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { CALLER_HEADER } from '@tributary/contract/light'
import { sdkError } from '../errors.js'
import type { Tributary } from '../tributary.js'
import { planCall, type CallPlan } from './call-plan.js'
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
}

/** How node hands a request to its agent: every client library that takes an agent relies on it, but the types leave it out. */
type AddRequest = (this: HttpAgent, request: ClientRequest, options: RequestTarget) => void
interface AgentInternals {
  readonly addRequest: AddRequest
}

const FAILURE = Symbol('tributary.failure')
const addRequestOfNode = (HttpAgent.prototype as unknown as AgentInternals).addRequest
type CreateConnection = HttpAgent['createConnection']

/**
 * Agents that send `http://orders/…` to the copy of `orders` that the current request's tenant sees, with its routing context, and keep
 * the context from everybody else: `http.get(url, { agent: httpAgent })`, `axios.create(createAgents(client))`,
 * `got.extend({ agent: { http: httpAgent, https: httpsAgent } })`. They keep connections alive unless told otherwise; redirects that the
 * client library follows are judged hop by hop. A call that cannot be made fails as a connection would: an `error` of the request.
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
    if (failure === undefined) return createConnection(options, callback)
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
    const plan = planCall(client, { ...targetOf(options, secure), protocols: [secure] })
    writeBaggage(client, request, plan)
    nameCaller(client, request, plan)
    return plan.kind === 'service' ? moved(request, options, { secure, endpoint: plan.endpoint }) : options
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

/** `Host` and the name that TLS asks for follow the address, unless the program chose a host of its own. */
function moved(
  request: ClientRequest,
  options: RequestTarget,
  {
    secure,
    endpoint,
  }: { readonly secure: Secure; readonly endpoint: { readonly host: string; readonly port: number } },
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
