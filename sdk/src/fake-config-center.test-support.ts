import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AppliedReport, StreamChannel, StreamEventName } from '@tributary/contract'
import { hashItems } from '@tributary/contract/hash'
import type { ConnectOptions } from './config.js'

/** Changed items; null: gone. */
export type Changes = Readonly<Record<string, unknown>>

/** One open stream of the fake. */
export class FakeStream {
  readonly query: URLSearchParams
  readonly #response: ServerResponse
  ended = false

  constructor(query: URLSearchParams, response: ServerResponse) {
    this.query = query
    this.#response = response
    response.once('close', () => (this.ended = true))
  }

  /** Sends a frame as the real server writes it. */
  send(event: StreamEventName, data: object, id?: string): void {
    this.raw(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
  }

  /** Sends any bytes. */
  raw(text: string | Buffer): void {
    this.#response.write(text)
  }

  /** Cuts the connection without an end. */
  cut(): void {
    this.#response.destroy()
  }
}

/** A lease request that the fake received. */
export interface FakeLeaseRequest {
  readonly method: string
  readonly path: string
  readonly body: unknown
}

/** A scripted config center: the real frames over node:http, with every fault that a test asks for. */
export class FakeConfigCenter {
  readonly streams: FakeStream[] = []
  readonly reports: (AppliedReport & { readonly subscriptionId: string })[] = []
  readonly leaseRequests: FakeLeaseRequest[] = []
  /** Client ports that reports came from. */
  readonly reportConnections = new Set<number | undefined>()
  readonly items: Record<StreamChannel, Map<string, unknown>> = { view: new Map(), routes: new Map() }
  readonly changedAt: Record<StreamChannel, bigint> = { view: 1n, routes: 1n }
  revision = 1n
  heartbeatMs = 60_000
  reconnectWindowMs = 0
  /** Statuses for the next requests, by kind; empty: all is well. */
  streamStatus: number | undefined
  leaseStatus: number | undefined
  reportStatus: number | undefined
  /** What the linearizable read says; undefined: the revision. */
  probeRevision: bigint | undefined
  /** Replaces the first frames of a stream. */
  onStream: ((stream: FakeStream) => void) | undefined
  /** Headers of the last stream request. */
  lastHeaders: IncomingMessage['headers'] = {}
  streamRequests = 0
  #server: Server | undefined
  #port = 0
  #subscriptions = 0

  /** Listens; again on the same port after {@link stop}. */
  async start(): Promise<void> {
    const server = createServer((request, response) => void this.#answer(request, response))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.#port = address.port
  }

  /** Cuts everything and stops listening, as a killed process does. */
  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** The newest stream. */
  get stream(): FakeStream {
    const stream = this.streams.at(-1)
    if (stream === undefined) throw new Error('no stream was opened')
    return stream
  }

  get openStreams(): readonly FakeStream[] {
    return this.streams.filter(({ ended }) => !ended)
  }

  /** Settings for a client of this fake that retries fast. */
  options(more: ConnectOptions = {}): ConnectOptions {
    return {
      url: this.url,
      tenant: 'feature-x',
      token: 'trb_1_secret',
      service: 'a',
      instance: 'a-1',
      env: {},
      timing: { initialBackoffMs: 5, maxBackoffMs: 40, maxRefusedBackoffMs: 40 },
      ...more,
    }
  }

  /** Sets the state without telling anybody. */
  seed(view: Changes, routes: Changes = { 'tenant/feature-x': { base: null } }): void {
    put(this.items.view, { chain: ['feature-x', 'integration'], ...view })
    put(this.items.routes, routes)
  }

  /** Makes a write of one revision and sends its deltas. */
  publish(view: Changes, routes: Changes = {}): bigint {
    this.revision += 1n
    for (const channel of ['view', 'routes'] as const) {
      const changes = channel === 'view' ? view : routes
      if (Object.keys(changes).length === 0) continue
      const frame = this.delta(channel, changes)
      for (const stream of this.openStreams) stream.send(`${channel}.delta`, frame, String(this.revision))
    }
    return this.revision
  }

  /** Applies changes to a channel at the current revision and gives their frame. */
  delta(channel: StreamChannel, changes: Changes): object {
    put(this.items[channel], changes)
    const from = String(this.changedAt[channel])
    this.changedAt[channel] = this.revision
    return {
      from,
      to: String(this.revision),
      hash: this.hash(channel),
      changes: Object.entries(changes).map(([key, value]) => ({ key, value })),
    }
  }

  hash(channel: StreamChannel): string {
    return hashItems(this.items[channel])
  }

  snapshot(channel: StreamChannel): object {
    const items = [...this.items[channel]].map(([key, value]) => ({ key, value }))
    return { storeRevision: String(this.revision), hash: this.hash(channel), items }
  }

  hello(): object {
    this.#subscriptions += 1
    return {
      subscriptionId: `s-${this.#subscriptions}`,
      serverId: 'fake',
      storeRevision: String(this.revision),
      heartbeatMs: this.heartbeatMs,
      reconnectWindowMs: this.reconnectWindowMs,
    }
  }

  heartbeat(): void {
    for (const stream of this.openStreams) stream.send('heartbeat', { storeRevision: String(this.revision) })
  }

  /** The first frames that a healthy server without history sends. */
  greet(stream: FakeStream): void {
    stream.send('hello', this.hello())
    for (const channel of ['routes', 'view'] as const) {
      const same = stream.query.get(`${channel}Hash`) === this.hash(channel)
      const resumed = { storeRevision: String(this.revision), hash: this.hash(channel) }
      if (same) stream.send(`${channel}.resumed`, resumed, String(this.revision))
      else stream.send(`${channel}.snapshot`, this.snapshot(channel), String(this.revision))
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url)
    const body = await readJson(request)
    if (url.pathname.endsWith('/stream')) this.#openStream(url, request, response)
    else if (url.pathname.endsWith('/view')) this.#answerView(response)
    else if (url.pathname.includes('/instances/')) this.#answerLease(request, { url, body, response })
    else if (url.pathname.endsWith('/applied')) this.#takeReport(url, { body, request, response })
    else json(response, 404, refusal(404))
  }

  #openStream(url: URL, request: IncomingMessage, response: ServerResponse): void {
    this.streamRequests += 1
    this.lastHeaders = request.headers
    if (this.streamStatus !== undefined) {
      if (this.streamStatus >= 300 && this.streamStatus < 400) response.setHeader('location', `${this.url}/elsewhere`)
      json(response, this.streamStatus, refusal(this.streamStatus))
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    response.flushHeaders()
    const stream = new FakeStream(url.searchParams, response)
    this.streams.push(stream)
    if (this.onStream === undefined) this.greet(stream)
    else this.onStream(stream)
  }

  #answerView(response: ServerResponse): void {
    json(response, 200, { storeRevision: String(this.probeRevision ?? this.revision) })
  }

  #answerLease(
    request: IncomingMessage,
    { url, body, response }: { readonly url: URL; readonly body: unknown; readonly response: ServerResponse },
  ): void {
    this.leaseRequests.push({ method: request.method ?? '', path: url.pathname, body })
    if (this.leaseStatus !== undefined) return json(response, this.leaseStatus, refusal(this.leaseStatus))
    if (request.method === 'DELETE') return json(response, 200, { storeRevision: '1', changed: true })
    const asked = typeof body === 'object' && body !== null && 'ttlSeconds' in body ? body.ttlSeconds : 0
    json(response, 200, { storeRevision: String(this.revision), ttlSeconds: asked })
  }

  #takeReport(
    url: URL,
    received: { readonly body: unknown; readonly request: IncomingMessage; readonly response: ServerResponse },
  ): void {
    const { body, request, response } = received
    this.reportConnections.add(request.socket.remotePort)
    if (this.reportStatus !== undefined) return json(response, this.reportStatus, refusal(this.reportStatus))
    const subscriptionId = url.pathname.split('/')[3] ?? ''
    this.reports.push({ ...(body as AppliedReport), subscriptionId })
    response.writeHead(204).end()
  }
}

function put(items: Map<string, unknown>, changes: Changes): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) items.delete(key)
    else items.set(key, value)
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const text = Buffer.concat(chunks).toString()
  return text === '' ? undefined : JSON.parse(text)
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

function refusal(status: number): object {
  return {
    error: { kind: 'x', code: `CODE_${status}`, message: `refused with ${status}`, retryable: false, details: {} },
  }
}

/** A resolved service of one HTTP endpoint. */
export function servedAt(owner: string, port: number, state: 'own' | 'inherited' = 'own'): object {
  return { state, owner, endpoints: [httpEndpoint(port)] }
}

/** An HTTP endpoint on the loopback. */
export function httpEndpoint(port: number): { name: string; protocol: 'http'; host: string; port: number } {
  return { name: 'http', protocol: 'http', host: '127.0.0.1', port }
}
