import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect } from 'vitest'
import type { Endpoint } from '@tributary/contract'
import { isPortFree } from '../local/port-allocator.js'
import type { GatewayResolution } from './gateway-routing.js'
import { createLocalGateway, type LocalGateway } from './local-gateway.js'

const HOST = '127.0.0.1'

/** A request as a service saw it. */
export interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What came back through the gateway. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** How the gateway is asked; by default with GET, at the host of `feature-x`. */
export interface Asking {
  readonly host?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** The client's side of a connection that asked for another protocol. */
export interface UpgradeClient {
  readonly socket: Socket
  /** All that came so far. */
  readonly text: () => string
  readonly closed: () => boolean
}

/** A service whose port is free until `begin`; then it answers with `late`, and ties upgraded connections to themselves. */
export interface LateService {
  readonly endpoint: Endpoint
  readonly begin: () => Promise<void>
  /** Method and length of each request, `upgrade` of each that switched protocols. */
  readonly heard: () => readonly string[]
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void
type UpgradeHandler = (request: IncomingMessage, socket: Socket) => void

/** A gateway before every test, with the environment `feature-x`; after it everything is closed. */
export function useGateway(): GatewayWorld {
  const world = new GatewayWorld()
  beforeEach(() => world.open())
  afterEach(() => world.close())
  return world
}

/** A gateway, the table that it resolves by, and services behind it. */
export class GatewayWorld {
  /** By `environment/service`. */
  table = new Map<string, GatewayResolution>()
  /** How often the gateway has looked into the table. */
  resolutions = 0
  readonly #servers = new Set<Server>()
  #gateway: LocalGateway | undefined

  /** Starts the gateway with an empty table. */
  async open(): Promise<void> {
    this.table = new Map()
    this.resolutions = 0
    this.#gateway = createLocalGateway({
      host: HOST,
      port: 0,
      resolve: (service, environment) => {
        this.resolutions += 1
        return this.table.get(`${environment}/${service}`)
      },
      listServices: (environment) =>
        [...this.table]
          .filter(([key]) => key.startsWith(`${environment}/`))
          .map(([key, { state, owner }]) => ({ service: key.split('/')[1] ?? '', state, owner })),
    })
    await this.gateway.start()
    await this.gateway.apply('feature-x')
  }

  /** Ends the gateway and the services. */
  async close(): Promise<void> {
    await this.#gateway?.close()
    await this.stopServices()
  }

  get gateway(): LocalGateway {
    if (this.#gateway === undefined) throw new Error('the gateway is not open')
    return this.#gateway
  }

  /** Ends every service: their ports refuse connections. */
  async stopServices(): Promise<void> {
    for (const server of this.#servers) await closeServer(server)
    this.#servers.clear()
  }

  /** A service. Without `onUpgrade` it knows no other protocol. */
  async serve(handler: Handler, onUpgrade?: UpgradeHandler): Promise<Endpoint> {
    const server = this.#server(handler, onUpgrade)
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
    return endpointAt(portOf(server))
  }

  /** A service that answers what it saw. */
  echo(): Promise<Endpoint> {
    return this.serve((request, response) => {
      onBody(request, (body) => {
        const seen: Seen = { method: request.method, url: request.url, headers: request.headers, body }
        response.setHeader('x-custom', 'kept')
        response.end(JSON.stringify(seen))
      })
    })
  }

  /** A service that is there only once it is told to. */
  async late(): Promise<LateService> {
    const endpoint = await this.closed()
    const heard: string[] = []
    const server = this.#server(
      (request, response) =>
        onBody(request, (body) => {
          heard.push(`${request.method} ${body.length}`)
          response.end('late')
        }),
      (_, socket) => {
        heard.push('upgrade')
        socket.write('HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n')
        socket.pipe(socket)
      },
    )
    const begin = (): Promise<void> => new Promise((resolve) => void server.listen(endpoint.port, HOST, resolve))
    return { endpoint, begin, heard: () => heard }
  }

  /** An address that refuses connections. */
  async closed(): Promise<Endpoint> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
    const port = portOf(server)
    await closeServer(server)
    expect(await isPortFree(port, HOST)).toBe(true)
    return endpointAt(port)
  }

  /** Gives `feature-x` a copy of its own. */
  own(service: string, endpoint: Endpoint | undefined): void {
    this.table.set(`feature-x/${service}`, { state: 'own', owner: 'feature-x', endpoint })
  }

  /** Asks the gateway. Rejects when the connection breaks. */
  ask(path: string, asking: Asking = {}): Promise<Answer> {
    const { port } = this.gateway
    return new Promise((resolve, reject) => {
      const headers = { host: asking.host ?? 'feature-x.localhost', ...asking.headers }
      const request = httpRequest(
        { host: HOST, port, path, method: asking.method ?? 'GET', headers, agent: false },
        (response) => {
          response.once('error', reject)
          onBody(response, (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
        },
      )
      request.once('error', reject)
      request.end(asking.body)
    })
  }

  /** Asks a service that is an {@link echo}. */
  async seen(path: string, asking: Asking = {}): Promise<Seen> {
    return JSON.parse((await this.ask(path, asking)).text)
  }

  /** Asks for the protocol `echo`; `more` are further header lines. */
  upgrade(path: string, more = ''): UpgradeClient {
    const socket = connect(this.gateway.port, HOST)
    let text = ''
    let closed = false
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    socket.once('close', () => (closed = true)).on('error', () => undefined)
    socket.write(
      `GET ${path} HTTP/1.1\r\nhost: feature-x.localhost\r\nconnection: Upgrade\r\nupgrade: echo\r\n${more}\r\n`,
    )
    return { socket, text: () => text, closed: () => closed }
  }

  #server(handler: Handler, onUpgrade?: UpgradeHandler): Server {
    const server = createServer(handler)
    if (onUpgrade !== undefined) server.on('upgrade', onUpgrade)
    this.#servers.add(server)
    return server
  }
}

function endpointAt(port: number): Endpoint {
  return { name: 'http', protocol: 'http', host: HOST, port }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

function onBody(message: IncomingMessage, take: (body: string) => void): void {
  let body = ''
  message.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
  message.once('end', () => take(body))
}
