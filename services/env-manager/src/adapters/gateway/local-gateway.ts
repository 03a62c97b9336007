import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { failure } from '../../errors.js'
import type { EnvironmentRoutes } from '../../ports/environment-routes.js'
import { readCallback, undecided, type GatewayCallbacks } from './callback-address.js'
import { parseGatewayAddress, type GatewayAddress } from './gateway-address.js'
import { asGatewayError, environmentPage, errorPage, rootPage, sendPage, type GatewayPage } from './gateway-pages.js'
import { findTarget, type GatewayDirectory } from './gateway-routing.js'
import { RequestProxy } from './proxy-request.js'
import { forwardUpgrade, refuse } from './proxy-upgrade.js'

/** What {@link createLocalGateway} takes: where it listens, and whom it asks. */
export interface LocalGatewayOptions extends GatewayDirectory {
  /** Address to listen on; `127.0.0.1` keeps the previews on this machine. */
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Default: callback URLs are ordinary paths, which the services look after. */
  readonly callbacks?: GatewayCallbacks
  /** Told of requests that failed by a bug of the gateway. */
  readonly onError?: (error: unknown) => void
}

/** {@link EnvironmentRoutes} of this machine: one HTTP server in front of all environments. */
export interface LocalGateway extends EnvironmentRoutes {
  /** @throws AppError `GATEWAY_PORT_IN_USE`, `GATEWAY_LISTEN_FAILED` */
  start(): Promise<void>
  /** Ends all connections. Idempotent. */
  close(): Promise<void>
  /** The port that it listens on; before `start` the configured one. */
  readonly port: number
}

/**
 * Serves `http://<environment>.localhost:<port>/<service>/…` with the environment as routing context. It listens after `start`.
 *
 * On node:http itself: a proxy plugin holds a pool for each address that ever was, and cannot ask again who answers when a connection is refused.
 */
export function createLocalGateway(options: LocalGatewayOptions): LocalGateway {
  return new HttpGateway(options)
}

type ServiceAddress = Extract<GatewayAddress, { kind: 'service' }>

const MAX_HEADER_BYTES = 64 * 1024
const LOOPBACKS = ['127.0.0.1', '::1']

class HttpGateway implements LocalGateway {
  private readonly environments = new Set<string>()
  /** Connections in use by environment: they end with it. */
  private readonly connections = new Map<string, Set<Duplex>>()
  private readonly proxy = new RequestProxy()
  private readonly server: Server

  constructor(private readonly options: LocalGatewayOptions) {
    // Uploads may take their time; cookies of all environments meet at localhost, so headers get long.
    this.server = createServer({ requestTimeout: 0, maxHeaderSize: MAX_HEADER_BYTES })
    this.server.on('request', (request, response) => void this.answer(request, response))
    this.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(request, socket, head),
    )
  }

  get port(): number {
    const address = this.server.address()
    return address === null || typeof address === 'string' ? this.options.port : address.port
  }

  async start(): Promise<void> {
    const { host, port } = this.options
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (cause: NodeJS.ErrnoException) => reject(listenFailure(cause, `${host}:${port}`)))
      this.server.listen({ host, port }, resolve)
    })
  }

  async close(): Promise<void> {
    this.proxy.close()
    for (const environment of this.connections.keys()) this.endConnections(environment)
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve())
      this.server.closeAllConnections()
    })
  }

  urlOf(environment: string, service?: string): string {
    const port = this.port === 80 ? '' : `:${this.port}`
    return `http://${environment}.localhost${port}/${service === undefined ? '' : `${service}/`}`
  }

  async apply(environment: string): Promise<void> {
    this.environments.add(environment)
  }

  async remove(environment: string): Promise<void> {
    this.environments.delete(environment)
    this.endConnections(environment)
  }

  async verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    if (!this.server.listening) return { gone: true, evidence: 'the gateway does not listen' }
    const status = await this.askSelf(environment)
    return { gone: status === 404, evidence: `the gateway answers ${status} for ${this.urlOf(environment)}` }
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
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
    const address = parseGatewayAddress(request.headers.host, request.url ?? '/')
    const callback = this.callbackAt(address)
    if (callback !== undefined) return callback
    if (address.kind === 'root' || this.environments.has(address.environment)) return address
    const environments = [...this.environments].sort()
    const known = environments.length === 0 ? 'none is served now' : `there are ${environments.join(', ')}`
    throw failure('GATEWAY_ENVIRONMENT_UNKNOWN', `there is no environment ${address.environment}; ${known}`, {
      details: { environments },
    })
  }

  private callbackAt(address: GatewayAddress): ServiceAddress | undefined {
    if (address.kind !== 'service' || this.options.callbacks === undefined) return undefined
    const callback = readCallback(address, this.options.callbacks, this.options)
    if (callback === undefined || this.environments.has(callback.environment)) return callback
    throw undecided(callback.environment, callback.service)
  }

  /** A browser that comes back from a third party: what it asks for next must be asked of its environment too. */
  private isNavigation(address: ServiceAddress, request: IncomingMessage): boolean {
    if (request.method !== 'GET') return false
    const asked = parseGatewayAddress(request.headers.host, request.url ?? '/')
    if (asked.kind !== 'service' || asked.environment === address.environment) return false
    return (request.headers.accept ?? '').includes('text/html')
  }

  private sendBrowser({ environment, service, path }: ServiceAddress, response: ServerResponse): void {
    const location = this.urlOf(environment, service) + path.slice(1)
    response.writeHead(307, { location, 'cache-control': 'no-store', 'content-length': 0 }).end()
  }

  private pageOf(address: GatewayAddress): GatewayPage {
    if (address.kind !== 'root')
      return environmentPage(address.environment, this.options.listServices(address.environment))
    return rootPage([...this.environments].sort().map((environment) => ({ environment, url: this.urlOf(environment) })))
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
    await this.proxy.forward({ request, response, path, find })
  }

  private upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    try {
      const address = this.addressOf(request)
      if (address.kind !== 'service')
        throw failure('GATEWAY_SERVICE_UNKNOWN', 'a WebSocket needs the path of a service: /<service>/…')
      this.hold(address.environment, socket)
      const path = address.path.startsWith('/') ? address.path : `/${address.path}`
      forwardUpgrade({ request, socket, head, path, find: () => findTarget(this.options, address) })
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

  private endConnections(environment: string): void {
    for (const socket of this.connections.get(environment) ?? []) socket.destroy()
  }

  private askSelf(environment: string): Promise<number> {
    const host = LOOPBACKS.includes(this.options.host) ? this.options.host : '127.0.0.1'
    return new Promise((resolve, reject) => {
      httpRequest(
        { host, port: this.port, path: '/', agent: false, headers: { host: `${environment}.localhost` } },
        (response) => {
          response.resume()
          resolve(response.statusCode ?? 0)
        },
      )
        .once('error', (cause) =>
          reject(
            failure('PLATFORM_UNAVAILABLE', `the gateway did not answer itself when asked for ${environment}`, {
              cause,
            }),
          ),
        )
        .end()
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
