import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'

/** What the probes and the metrics tell. */
export interface GatewayHealthSources {
  /** Why requests must not come here now; undefined: they may. */
  unreadyBecause(): Promise<string | undefined>
  /** Whether the route table follows the config center. */
  isLive(): boolean
}

/** `/healthz`, `/readyz` and `/metrics`, on a port of their own: on the previews' port every path is a service's. */
export class GatewayHealth {
  readonly #server: Server
  readonly #registry = new Registry()
  readonly #answers: Counter

  constructor(private readonly sources: GatewayHealthSources) {
    collectDefaultMetrics({ register: this.#registry })
    this.#answers = new Counter({
      name: 'tributary_gateway_requests_total',
      help: 'Answered requests, by the class of their status.',
      labelNames: ['status'],
      registers: [this.#registry],
    })
    const table: Gauge = new Gauge({
      name: 'tributary_gateway_route_table_live',
      help: '1 while the route table follows the config center; 0 while the last one is served.',
      registers: [this.#registry],
      collect: () => table.set(sources.isLive() ? 1 : 0),
    })
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  /** Counts an answer. */
  noteAnswer(status: number): void {
    this.#answers.inc({ status: `${Math.floor(status / 100)}xx` })
  }

  /** Listens and resolves with the port. Rejects with the listen error. */
  async start(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, resolve)
    })
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? port : address.port
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]
    if (path === '/healthz') return send(response, 200, { status: 'ok' })
    if (path === '/readyz') {
      const reason = await this.sources.unreadyBecause()
      return send(
        response,
        reason === undefined ? 200 : 503,
        reason === undefined ? { status: 'ready' } : { status: reason },
      )
    }
    if (path !== '/metrics') return send(response, 404, { status: 'there are /healthz, /readyz and /metrics' })
    const text = await this.#registry.metrics()
    response.writeHead(200, { 'content-type': this.#registry.contentType }).end(text)
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(`${JSON.stringify(body)}\n`)
}
