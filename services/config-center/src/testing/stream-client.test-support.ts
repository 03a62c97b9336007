import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import {
  DeltaFrame,
  GoodbyeFrame,
  HeartbeatFrame,
  HelloFrame,
  ResumedFrame,
  SnapshotFrame,
  type StreamEventName,
  type StreamFrames,
} from '@tributary/contract'
import { SseParser } from '@tributary/kit'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { ChannelModel } from './channel-model.test-support.js'

const SCHEMAS: Readonly<Record<StreamEventName, TSchema>> = {
  hello: HelloFrame,
  'view.snapshot': SnapshotFrame,
  'view.delta': DeltaFrame,
  'view.resumed': ResumedFrame,
  'routes.snapshot': SnapshotFrame,
  'routes.delta': DeltaFrame,
  'routes.resumed': ResumedFrame,
  heartbeat: HeartbeatFrame,
  goodbye: GoodbyeFrame,
}

/** A frame as it came. */
export interface ReceivedFrame {
  readonly event: string
  readonly id: string
  readonly data: unknown
}

/** What to follow, and as whom. */
export interface StreamClientOptions {
  readonly tenant: string
  readonly service?: string
  readonly channels?: string
  readonly token: string
  readonly instance?: string
  /** False: resumes by revision alone. Default true. */
  readonly sendHashes?: boolean
}

/** A subscriber over a real connection that keeps its state across connections, as an SDK does. */
export class StreamClient {
  readonly view = new ChannelModel()
  readonly routes = new ChannelModel()
  readonly frames: ReceivedFrame[] = []
  readonly #options: StreamClientOptions
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #lastEventId = ''
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = []
  /** Connections that the server has ended. */
  ended = 0
  status = 0

  constructor(options: StreamClientOptions) {
    this.#options = options
  }

  get hello(): HelloFrame | undefined {
    return this.frames.findLast(({ event }) => event === 'hello')?.data as HelloFrame | undefined
  }

  get goodbye(): string | undefined {
    return (this.frames.findLast(({ event }) => event === 'goodbye')?.data as { reason: string } | undefined)?.reason
  }

  /** Opens a connection, resuming from what the client has. Resolves with the headers. */
  async connect(url: string): Promise<IncomingMessage> {
    this.cut()
    for (const model of this.#models()) model.reconnecting()
    const target = new URL(`${url}/v1/tenants/${this.#options.tenant}/stream?${this.#query()}`)
    const headers = { authorization: `Bearer ${this.#options.token}` }
    const request = get(target, { headers, agent: false })
    this.#request = request
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      request.once('error', reject)
    })
    this.#response = response
    this.status = response.statusCode ?? 0
    this.#follow(response)
    return response
  }

  /** Stops reading: the server's writes pile up. */
  pause(): void {
    this.#response?.pause()
  }

  resume(): void {
    this.#response?.resume()
  }

  /** Cuts the connection in the middle of whatever is on its way. */
  cut(): void {
    // What is still on its way was never received.
    this.#response = undefined
    this.#request?.destroy()
  }

  /** Resolves when `condition` holds after a frame or an end; rejects after `timeoutMs` saying what it had. */
  async until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    if (condition()) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`still waiting; frames: ${this.#recent()}`)), timeoutMs)
    })
    const held = new Promise<void>((resolve) => this.#waiting.push({ condition, resolve }))
    await Promise.race([held, late]).finally(() => clearTimeout(timer))
  }

  /** Resolves when everything up to `revision` has been seen on all channels. */
  async reaches(revision: bigint, timeoutMs?: number): Promise<void> {
    const models = this.#models()
    await this.until(() => models.every((model) => (model.revision ?? -1n) >= revision), timeoutMs)
  }

  #models(): ChannelModel[] {
    const channels = this.#options.channels ?? 'view'
    return [...(channels.includes('view') ? [this.view] : []), ...(channels.includes('routes') ? [this.routes] : [])]
  }

  #query(): string {
    const { service, channels, instance, sendHashes = true } = this.#options
    const query = new URLSearchParams()
    if (service !== undefined) query.set('service', service)
    if (channels !== undefined) query.set('channels', channels)
    if (instance !== undefined) query.set('instance', instance)
    if (this.#lastEventId !== '') query.set('after', this.#lastEventId)
    if (sendHashes && this.view.revision !== undefined) query.set('viewHash', this.view.hash)
    if (sendHashes && this.routes.revision !== undefined) query.set('routesHash', this.routes.hash)
    return query.toString()
  }

  #follow(response: IncomingMessage): void {
    const parser = new SseParser()
    // Each connection is a new stream; what was cut off half-way is gone.
    response.on('data', (chunk: Buffer) => {
      if (this.#response !== response) return
      for (const { event, data, id } of parser.push(chunk)) this.#take(event, data, id)
      this.#check()
    })
    response.once('close', () => {
      if (this.#response === response) this.ended += 1
      this.#check()
    })
    response.on('error', () => undefined)
  }

  #take(event: string, text: string, id: string): void {
    const data: unknown = JSON.parse(text)
    this.frames.push({ event, id, data })
    if (!isEventName(event) || !Value.Check(SCHEMAS[event], data)) {
      this.view.violations.push(`${event} breaks its schema: ${text.slice(0, 200)}`)
      return
    }
    this.#apply(event, data)
    // A real EventSource moves its last event id when the event is dispatched, which is after it was applied.
    if (id !== '') this.#reach(id)
  }

  /** An id says that everything up to it has come, on all channels. */
  #reach(id: string): void {
    this.#lastEventId = id
    const revision = BigInt(id)
    for (const model of this.#models()) if ((model.revision ?? revision) < revision) model.upTo(revision)
  }

  #apply(event: StreamEventName, data: unknown): void {
    const model = event.startsWith('routes.') ? this.routes : this.view
    if (event.endsWith('.snapshot')) model.snapshot(data as StreamFrames['view.snapshot'])
    else if (event.endsWith('.delta')) model.delta(data as StreamFrames['view.delta'])
    else if (event.endsWith('.resumed')) {
      const { storeRevision, hash } = data as StreamFrames['view.resumed']
      model.upTo(BigInt(storeRevision), hash)
    } else if (event === 'heartbeat') {
      for (const followed of this.#models()) followed.upTo(BigInt((data as HeartbeatFrame).storeRevision))
    }
  }

  #check(): void {
    const held = this.#waiting.filter(({ condition }) => condition())
    this.#waiting = this.#waiting.filter((waiter) => !held.includes(waiter))
    for (const { resolve } of held) resolve()
  }

  #recent(): string {
    return this.frames
      .slice(-8)
      .map(({ event, id }) => `${event}@${id}`)
      .join(' ')
  }
}

function isEventName(event: string): event is StreamEventName {
  return Object.hasOwn(SCHEMAS, event)
}
