import { drainConnections } from '@tributary/kit'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { failure } from '../../errors.js'
import { readCallback, undecided, type GatewayCallbacks } from './callback-address.js'
import { parseGatewayAddress, type GatewayAddress } from './gateway-address.js'
import { asGatewayError, environmentPage, errorPage, rootPage, sendPage, type GatewayPage } from './gateway-pages.js'
import { findTarget, type GatewayDirectory } from './gateway-routing.js'
import type { GatewaySite } from './gateway-site.js'
import { RequestProxy } from './proxy-request.js'
import { forwardUpgrade, refuse } from './proxy-upgrade.js'

/** The environments that are served. */
export interface ServedEnvironments {
  /** Undefined: it cannot be told yet. */
  has(environment: string): boolean | undefined
  /** Nothing of it runs now, but it can be woken. Default: that is so of none. */
  isAsleep?(environment: string): boolean
  /** Names them to whoever asks for another. Default: they are nobody's business. */
  list?(): readonly string[]
}

/** What a {@link GatewayServer} takes: where it listens, what it is called, and whom it asks. */
export interface GatewayServerOptions extends GatewayDirectory {
  /** Address to listen on. */
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  readonly site: GatewaySite
  readonly environments: ServedEnvironments
  /** Default: callback URLs are ordinary paths, which the services look after. */
  readonly callbacks?: GatewayCallbacks
  /** How long a service that refuses connections is tried for, milliseconds. Default 3,000. */
  readonly patienceMs?: number
  /** Told of each request that goes to a service of an environment, before it is passed on. */
  readonly onRequest?: (environment: string) => void
  /** Told of each request for an environment that is asleep. */
  readonly onWanted?: (environment: string) => void
  /** Told of each answer's status, once it was sent whole. */
  readonly onAnswer?: (status: number) => void
  /** Told of requests that failed by a bug of the gateway. */
  readonly onError?: (error: unknown) => void
}

type ServiceAddress = Extract<GatewayAddress, { kind: 'service' }>

const MAX_HEADER_BYTES = 64 * 1024

/**
 * Serves `<scheme>://<environment>.<domain>/<service>/…` with the environment as routing context. What the outside says about that is dropped.
 *
 * On node:http itself: a proxy plugin holds a pool for each address that ever was, and cannot ask again who answers when a connection is refused.
 */
export class GatewayServer {
  /** Connections in use by environment: they end with it. */
  private readonly connections = new Map<string, Set<Duplex>>()
  private readonly proxy: RequestProxy
  private readonly server: Server
  private readonly drainConnections: () => void
  private isDraining = false

  constructor(private readonly options: GatewayServerOptions) {
    this.proxy = new RequestProxy(options.site.scheme, options.patienceMs)
    // Uploads may take their time; cookies of all environments meet at localhost, so headers get long.
    this.server = createServer({ requestTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES })
    this.drainConnections = drainConnections(this.server)
    this.server.on('request', (request, response) => void this.answer(request, response))
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(request, socket, head),
    )
  }

  /** The port that it listens on; before {@link start} the configured one. */
  get port(): number {
    const address = this.server.address()
    return address === null || typeof address === 'string' ? this.options.port : address.port
  }

  get isListening(): boolean {
    return this.server.listening
  }

  /** @throws AppError `GATEWAY_PORT_IN_USE`, `GATEWAY_LISTEN_FAILED` */
  async start(): Promise<void> {
    const { host, port } = this.options
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (cause: NodeJS.ErrnoException) => reject(listenFailure(cause, `${host}:${port}`)))
      this.server.listen({ host, port }, resolve)
    })
  }

  /** Goes on serving, but asks each client to make a new connection for its next request: it is led elsewhere by then. */
  sendClientsAway(): void {
    this.isDraining = true
  }

  /** Takes no new connections, lets requests finish for at most `graceMs`, then ends everything. */
  async drain(graceMs: number): Promise<void> {
    this.sendClientsAway()
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    this.drainConnections()
    const timer = setTimeout(() => void this.close(), graceMs)
    await closed
    clearTimeout(timer)
    await this.close()
  }

  /** Ends all connections. Idempotent. */
  async close(): Promise<void> {
    this.proxy.close()
    for (const environment of this.connections.keys()) this.endConnections(environment)
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }

  /** Ends the connections of an environment that is not served any more. */
  endConnections(environment: string): void {
    for (const socket of this.connections.get(environment) ?? []) socket.destroy()
  }

  /** Environments that somebody is connected to. */
  connected(): readonly string[] {
    return [...this.connections.keys()]
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { onAnswer } = this.options
    if (onAnswer !== undefined) response.once('finish', () => onAnswer(response.statusCode))
    // The connection's next request must find another replica.
    if (this.isDraining) response.setHeader('connection', 'close')
    try {
      const address = this.addressOf(request)
      if (address.kind !== 'service') sendPage(request, response, this.pageOf(address))
      else if (this.isNavigation(address, request)) this.sendBrowser(address, response)
      else await this.forward(address, request, response)
    } catch (thrown) {
      this.answerError(request, response, thrown)
    }
  }

  private answerError(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const error = asGatewayError(thrown)
    if (error.code === 'INTERNAL') this.options.onError?.(thrown)
    // The body, if any, was not read: the connection cannot be used again.
    if (!request.complete) response.setHeader('connection', 'close')
    if (response.headersSent) response.destroy()
    else sendPage(request, response, errorPage(error))
  }

  private addressOf(request: IncomingMessage): GatewayAddress {
    const address = this.parse(request)
    const callback = this.callbackAt(address)
    if (callback !== undefined) return callback
    if (address.kind !== 'root') {
      this.requireServed(address.environment)
      this.requireAwake(address.environment)
    }
    return address
  }

  private parse(request: IncomingMessage): GatewayAddress {
    return parseGatewayAddress({ host: request.headers.host, target: request.url ?? '/' }, this.options.site.domain)
  }

  private requireServed(environment: string): void {
    const { environments: served } = this.options
    const isServed = served.has(environment)
    if (isServed === true) return
    if (isServed === undefined) {
      throw failure(
        'GATEWAY_NOT_READY',
        `the gateway does not know yet whether there is an environment ${environment}; try again`,
      )
    }
    const environments = served.list === undefined ? undefined : [...served.list()].sort()
    const known =
      environments === undefined || environments.length === 0
        ? 'push its branch to get one'
        : `there are ${environments.join(', ')}`
    throw failure('GATEWAY_ENVIRONMENT_UNKNOWN', `there is no environment ${environment}; ${known}`, {
      details: environments === undefined ? {} : { environments },
    })
  }

  /** Whoever asks for it wants it awake. */
  private requireAwake(environment: string): void {
    if (this.options.environments.isAsleep?.(environment) !== true) return
    this.options.onWanted?.(environment)
    throw failure(
      'GATEWAY_ENVIRONMENT_ASLEEP',
      `${environment} was asleep, because nobody used it; it is being woken. Send the request again in a few seconds`,
      { details: { environment } },
    )
  }

  private callbackAt(address: GatewayAddress): ServiceAddress | undefined {
    if (address.kind !== 'service' || this.options.callbacks === undefined) return undefined
    const callback = readCallback(address, this.options.callbacks, this.options)
    if (callback === undefined || this.options.environments.has(callback.environment) === true) return callback
    throw undecided(callback.environment, callback.service)
  }

  /** A browser that comes back from a third party: what it asks for next must be asked of its environment too. */
  private isNavigation(address: ServiceAddress, request: IncomingMessage): boolean {
    if (request.method !== 'GET') return false
    const asked = this.parse(request)
    if (asked.kind !== 'service' || asked.environment === address.environment) return false
    return (request.headers.accept ?? '').includes('text/html')
  }

  private sendBrowser({ environment, service, path }: ServiceAddress, response: ServerResponse): void {
    const location = `${this.options.site.originOf(environment)}/${service}${path}`
    response.writeHead(307, { location, 'cache-control': 'no-store', 'content-length': 0 }).end()
  }

  private pageOf(address: GatewayAddress): GatewayPage {
    if (address.kind !== 'root')
      return environmentPage(address.environment, this.options.listServices(address.environment))
    const environments = [...(this.options.environments.list?.() ?? [])].sort()
    const { site } = this.options
    return rootPage(environments.map((environment) => ({ environment, url: `${site.originOf(environment)}/` })))
  }

  private async forward(address: ServiceAddress, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const find = (): ReturnType<typeof findTarget> => findTarget(this.options, address)
    if (!address.path.startsWith('/') && (request.method === 'GET' || request.method === 'HEAD')) {
      find()
      // Relative links of the service's first page lead to itself only below `/<service>/`.
      response.writeHead(308, { location: `/${address.service}/${address.path}`, 'content-length': 0 }).end()
      return
    }
    const path = address.path.startsWith('/') ? address.path : `/${address.path}`
    this.hold(address.environment, request.socket)
    this.options.onRequest?.(address.environment)
    await this.proxy.forward({ request, response, path, find })
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      const address = this.addressOf(request)
      if (address.kind !== 'service')
        throw failure('GATEWAY_SERVICE_UNKNOWN', 'a WebSocket needs the path of a service: /<service>/…')
      this.hold(address.environment, socket)
      this.options.onRequest?.(address.environment)
      const path = address.path.startsWith('/') ? address.path : `/${address.path}`
      const { site, patienceMs } = this.options
      const exchange = {
        request,
        socket,
        head,
        path,
        scheme: site.scheme,
        find: () => findTarget(this.options, address),
      }
      void forwardUpgrade({ ...exchange, ...(patienceMs === undefined ? {} : { patienceMs }) })
    } catch (error) {
      socket.on('error', () => socket.destroy())
      refuse(socket, error)
    }
  }

  private hold(environment: string, socket: Duplex): void {
    const held = this.connections.get(environment) ?? new Set()
    if (held.has(socket)) return
    this.connections.set(environment, held.add(socket))
    socket.once('close', () => {
      held.delete(socket)
      if (held.size === 0 && this.connections.get(environment) === held) this.connections.delete(environment)
    })
  }
}

function listenFailure(cause: NodeJS.ErrnoException, address: string): Error {
  if (cause.code === 'EADDRINUSE') {
    return failure(
      'GATEWAY_PORT_IN_USE',
      `the gateway cannot listen on ${address}: the port is in use; stop what uses it or choose another port`,
      { cause },
    )
  }
  return failure(
    'GATEWAY_LISTEN_FAILED',
    `the gateway cannot listen on ${address} (${cause.code ?? cause.message}); choose another address or port`,
    { cause },
  )
}
