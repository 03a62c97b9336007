import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from '../connect.js'
import type { ConnectOptions } from '../config.js'
import { FakeConfigCenter, httpEndpoint } from '../fake-config-center.test-support.js'
import type { Tributary } from '../tributary.js'

/** What a {@link Fleet} service answers: who it is, and what it was asked. */
export interface Echo {
  readonly who: string
  readonly method: string
  readonly path: string
  readonly host: string
  readonly baggage: string | null
  /** Client port: the same for calls over one connection. */
  readonly from: number
}

/** Services on the loopback that a scripted config center knows of, and others that it does not. */
export class Fleet {
  readonly center = new FakeConfigCenter()
  readonly #servers: Server[] = []
  readonly #clients: Tributary[] = []
  readonly #ports = new Map<string, number>()

  /** Starts one server for each name: `feature-x/orders` is a tenant's copy, a name without a slash is outside of the system. */
  async start(names: readonly string[], listener: (who: string) => Listener = echo): Promise<void> {
    for (const name of names) await this.serve(name, listener(name))
    const tenants = new Set(names.flatMap((name) => (name.includes('/') ? [name.split('/')[0] ?? ''] : [])))
    tenants.add('integration')
    const routes: Record<string, unknown> = {}
    for (const tenant of tenants) routes[`tenant/${tenant}`] = { base: tenant === 'integration' ? null : 'integration' }
    const view: Record<string, unknown> = { chain: ['integration'] }
    for (const name of names) {
      const [tenant, service] = name.split('/')
      if (service === undefined) continue
      const endpoints = [httpEndpoint(this.port(name))]
      routes[`entry/${name}`] = { state: 'present', endpoints }
      if (tenant === 'integration') view[`service/${service}`] = { state: 'own', owner: tenant, endpoints }
    }
    this.center.seed(view, routes)
    await this.center.start()
  }

  /** Starts one more server; answers its port. */
  async serve(name: string, listener: Listener): Promise<number> {
    const server = createServer(listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('no address')
    this.#servers.push(server)
    this.#ports.set(name, address.port)
    return address.port
  }

  port(name: string): number {
    const port = this.#ports.get(name)
    if (port === undefined) throw new Error(`nobody is ${name}`)
    return port
  }

  url(name: string): string {
    return `http://127.0.0.1:${this.port(name)}`
  }

  /** A client in a process of the baseline. */
  async client(options: ConnectOptions = {}): Promise<Tributary> {
    const client = await connect(this.center.options({ tenant: 'integration', ...options }))
    this.#clients.push(client)
    return client
  }

  /** Ends a server as a killed process would. */
  async kill(name: string): Promise<void> {
    const port = this.port(name)
    for (const server of this.#servers) {
      const address = server.address()
      if (typeof address === 'object' && address?.port === port) await close(server)
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()))
    await Promise.all(this.#servers.map(close))
    await this.center.stop()
  }
}

/** A request listener. */
export type Listener = (request: IncomingMessage, response: ServerResponse) => void

/** Answers an {@link Echo}; `/redirect?to=` redirects. */
export function echo(who: string): Listener {
  return (request, response) => {
    const url = new URL(request.url ?? '/', 'http://any')
    const to = url.searchParams.get('to')
    if (to !== null) return void response.writeHead(307, { location: to }).end()
    const answer: Echo = {
      who,
      method: request.method ?? '',
      path: request.url ?? '',
      host: request.headers.host ?? '',
      baggage: [request.headers['baggage'] ?? []].flat().join(',') || null,
      from: request.socket.remotePort ?? 0,
    }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  await closed
}
