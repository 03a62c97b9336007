import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  type CallOptions,
  type ChannelInterface,
  type ChannelOptions,
  type ClientOptions,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
} from '@grpc/grpc-js'
import { expect } from 'vitest'
import { connect } from '../connect.js'
import { currentContext } from '../context/routing-context.js'
import { FakeConfigCenter } from '../fake-config-center.test-support.js'
import { createChannel, tributaryInterceptor } from '../grpc.js'
import { observePayments } from '../observe/observed-payments.test-support.js'
import type { ProcessObserver } from '../observe/process-observer.js'
import type { Tributary } from '../tributary.js'

const bytes = (value: string): Buffer => Buffer.from(value)
const text = (value: Buffer): string => value.toString()
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path,
  requestStream,
  responseStream,
  requestSerialize: bytes,
  requestDeserialize: text,
  responseSerialize: bytes,
  responseDeserialize: text,
})
const DEFINITION = {
  ask: method('/Orders/ask', false, false),
  list: method('/Orders/list', false, true),
  collect: method('/Orders/collect', true, false),
  talk: method('/Orders/talk', true, true),
}

/** A copy of `orders`. */
export interface Copy {
  readonly who: string
  readonly port: number
  /** Calls that it has got, by name of the method. */
  readonly served: string[]
  /** Metadata of the calls. */
  readonly metadata: Metadata[]
  /** Calls that were cancelled on it. */
  cancelled: number
  /** Called when a call has come, before it is answered; false: it is not answered. */
  onCall: (() => boolean) | undefined
}

/** Copies of a service `orders` that speak gRPC, a scripted config center that knows them, and a client of the baseline that calls them. */
export class GrpcShop {
  readonly center = new FakeConfigCenter()
  readonly #servers: Server[] = []
  readonly #clients: Client[] = []
  readonly #channels: ChannelInterface[] = []
  #client: Tributary | undefined
  #observer: ProcessObserver | undefined

  /** Starts config center and client. */
  async start(): Promise<void> {
    await this.center.start()
    const tenants = {
      'tenant/integration': { base: null },
      'tenant/feature-x': { base: 'integration' },
      'tenant/feature-y': { base: 'integration' },
    }
    this.center.seed({ chain: ['integration'] }, tenants)
    this.#client = await connect(this.center.options({ tenant: 'integration', service: 'web' }))
    this.#observer = observePayments(this.#client)
  }

  get client(): Tributary {
    if (this.#client === undefined) throw new Error('start the shop first')
    return this.#client
  }

  /** What has been counted since it was asked last, by tenant: calls, failed calls. None comes first. */
  counted(): readonly (readonly [string | null, number, number])[] {
    const { calls = [] } = this.#observer?.counter.take() ?? {}
    const sorted = calls.toSorted((one, other) => (one.tenant ?? '').localeCompare(other.tenant ?? ''))
    return sorted.map(({ tenant, calls: count, errors }) => [tenant, count, errors])
  }

  /** Starts a copy; nobody knows it before it is {@link place}d. */
  async serve(who: string): Promise<Copy> {
    const copy: Copy = { who, port: 0, served: [], metadata: [], cancelled: 0, onCall: undefined }
    const server = new Server({ interceptors: [tributaryInterceptor(this.client)] })
    server.addService(DEFINITION, implementation(copy))
    this.#servers.push(server)
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    return Object.assign(copy, { port })
  }

  /** Says where the copies of `orders` are, by tenant; the ports of one tenant take turns. Null: it has none. */
  async place(ports: Readonly<Record<string, readonly number[] | null>>): Promise<void> {
    const routes: Record<string, object | null> = {}
    const view: Record<string, object> = {}
    for (const [tenant, at] of Object.entries(ports)) {
      const endpoints = (at ?? []).map((port) => ({ name: 'grpc', protocol: 'grpc', host: '127.0.0.1', port }))
      routes[`entry/${tenant}/orders`] = at === null ? null : { state: 'present', endpoints }
      if (tenant === 'integration') view['service/orders'] = { state: 'own', owner: tenant, endpoints }
    }
    this.center.publish(view, routes)
    for (const [tenant, at] of Object.entries(ports)) {
      await expect.poll(() => this.#portsOf(tenant), { timeout: 10_000 }).toEqual(at)
    }
  }

  /** Where the client sees a tenant's own copies; null: it has none. */
  #portsOf(tenant: string): readonly number[] | null {
    const { owner, endpoints } = this.client.resolve('orders', { tenant })
    return owner === tenant ? endpoints.map(({ port }) => port) : null
  }

  /** A channel to `orders`. */
  channel(options: ChannelOptions = {}): ChannelInterface {
    const channel = createChannel(this.client, {
      service: 'orders',
      credentials: credentials.createInsecure(),
      channel: options,
    })
    this.#channels.push(channel)
    return channel
  }

  /** A program's client of `orders`. */
  orders(channel: ChannelInterface = this.channel(), options: ClientOptions = {}): Orders {
    const client = new Client('orders', credentials.createInsecure(), { ...options, channelOverride: channel })
    this.#clients.push(client)
    return new Orders(client)
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close()
    for (const channel of this.#channels) channel.close()
    for (const server of this.#servers) server.forceShutdown()
    await this.#client?.close()
    await this.center.stop()
  }
}

/** Calls by gRPC; answers are `<copy> <tenant> <what it was sent>`. */
export class Orders {
  readonly raw: Client

  constructor(raw: Client) {
    this.raw = raw
  }

  ask(value = 'a', metadata = new Metadata(), options: CallOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      this.raw.makeUnaryRequest('/Orders/ask', bytes, text, value, metadata, options, answered(resolve, reject))
    })
  }

  list(value = 'a', metadata = new Metadata(), options: CallOptions = {}): Promise<string[]> {
    return all(this.raw.makeServerStreamRequest('/Orders/list', bytes, text, value, metadata, options))
  }

  collect(values: readonly string[], metadata = new Metadata(), options: CallOptions = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const heard = answered(resolve, reject)
      const stream = this.raw.makeClientStreamRequest('/Orders/collect', bytes, text, metadata, options, heard)
      void write(stream, values).catch(reject)
    })
  }

  async talk(values: readonly string[], metadata = new Metadata(), options: CallOptions = {}): Promise<string[]> {
    const stream = this.raw.makeBidiStreamRequest('/Orders/talk', bytes, text, metadata, options)
    const [answers] = await Promise.all([all(stream), write(stream, values)])
    return answers
  }
}

interface Writing {
  write(value: string, taken: (error?: Error | null) => void): boolean
  end(): void
}

/** Writes one after another, as a pipe does; a stream that has ended takes no more. */
async function write(stream: Writing, values: readonly string[]): Promise<void> {
  for (const value of values) {
    const failure = await new Promise((resolve) => stream.write(value, resolve))
    if (failure !== undefined && failure !== null) return
  }
  stream.end()
}

function answered(
  resolve: (value: string) => void,
  reject: (error: Error) => void,
): (error: ServiceError | null, value?: string) => void {
  return (error, value = '') => (error === null ? resolve(value) : reject(error))
}

async function all(stream: AsyncIterable<string>): Promise<string[]> {
  const values: string[] = []
  for await (const value of stream) values.push(value)
  return values
}

const tenantNow = (): string => currentContext().tenant ?? 'none'

function implementation(copy: Copy) {
  const takes = (
    name: string,
    call: { readonly metadata: Metadata; on(event: 'cancelled', told: () => void): void },
  ) => {
    copy.served.push(name)
    copy.metadata.push(call.metadata)
    call.on('cancelled', () => void (copy.cancelled += 1))
    return copy.onCall?.() ?? true
  }
  return {
    ask: (call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) => {
      if (takes('ask', call)) answer(null, `${copy.who} ${tenantNow()} ${call.request}`)
    },
    list: (call: ServerWritableStream<string, string>) => {
      if (!takes('list', call)) return
      for (const part of ['1', '2']) call.write(`${copy.who} ${tenantNow()} ${call.request}${part}`)
      call.end()
    },
    collect: (call: ServerReadableStream<string, string>, answer: sendUnaryData<string>) => {
      if (!takes('collect', call)) return void call.resume()
      const parts: string[] = []
      call.on('data', (part: string) => parts.push(part))
      call.on('end', () => answer(null, `${copy.who} ${tenantNow()} ${parts.join('')}`))
    },
    talk: (call: ServerDuplexStream<string, string>) => {
      if (!takes('talk', call)) return
      call.on('data', (part: string) => call.write(`${copy.who} ${tenantNow()} ${part}`))
      call.on('end', () => call.end())
    },
  }
}
