import type { EventEmitter } from 'node:events'
import {
  credentials,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceClientConstructor,
} from '@grpc/grpc-js'
import type { IEvent, IRangeRequest, IWatchCreateRequest, IWatchRequest, IWatchResponse } from 'etcd3'
import { Host } from 'etcd3/lib/connection-pool.js'

/** What a watch stream of the script can do. */
export interface ScriptedWatch {
  /** Sends a response; what is left out has the protocol's default. */
  send(response: Partial<IWatchResponse>): void
  /** Confirms the watch at a store revision. */
  created(revision: bigint): void
  /** Breaks the stream with "unavailable". */
  cut(): void
}

/** Plays one watch stream: `attempt` counts the streams from 1. */
export type WatchScript = (watch: ScriptedWatch, attempt: number) => void

/**
 * A gRPC server that speaks etcd's protocol and follows a script: for what a real etcd does only when it is broken, or at a
 * revision that no test can reach. Reads answer the head at {@link headRevision}.
 */
export class ScriptedEtcd {
  readonly #server = new Server()
  readonly #script: WatchScript
  readonly #streams = new Set<ServerDuplexStream<IWatchRequest, IWatchResponse>>()
  /** The watches that were asked for. */
  readonly asked: IWatchCreateRequest[] = []
  headRevision = 1n
  /** Answers a probe for the compacted revision; undefined: there is none. */
  compactedRevision: bigint | undefined
  port = 0

  private constructor(script: WatchScript) {
    this.#script = script
  }

  static async start(script: WatchScript): Promise<ScriptedEtcd> {
    const etcd = new ScriptedEtcd(script)
    etcd.#server.addService(serviceOf('Watch'), {
      watch: (stream: ServerDuplexStream<IWatchRequest, IWatchResponse>) => etcd.#watch(stream),
    })
    etcd.#server.addService(serviceOf('KV'), {
      range: ({ request }: { readonly request: IRangeRequest }, answer: Answer) => answer(null, etcd.#read(request)),
      txn: (_call: unknown, answer: Answer) => answer(null, { header: { revision: String(etcd.headRevision) } }),
    })
    etcd.#server.addService(serviceOf('Maintenance'), {
      status: (_call: unknown, answer: Answer) => answer(null, { version: '3.5.9' }),
    })
    etcd.port = await new Promise<number>((resolve, reject) => {
      etcd.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      )
    })
    return etcd
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`
  }

  stop(): void {
    for (const stream of this.#streams) stream.destroy()
    this.#server.forceShutdown()
  }

  /** The head is there; data keys are not. */
  #read({ key }: IRangeRequest) {
    const revision = String(this.headRevision)
    if (key?.at(-1) === 0) return { header: { revision }, kvs: [], count: '0' }
    return { header: { revision }, kvs: [{ mod_revision: revision, create_revision: '1', version: '1' }], count: '1' }
  }

  #watch(stream: ServerDuplexStream<IWatchRequest, IWatchResponse>): void {
    this.#streams.add(stream)
    stream.on('error', () => undefined)
    stream.on('data', ({ create_request: create }: IWatchRequest) => {
      if (!create) return
      if (create.range_end?.length === 0 || create.range_end === undefined) return this.#probe(stream)
      this.asked.push(create)
      this.#script(watchOn(stream), this.asked.length)
    })
    stream.on('end', () => stream.end())
  }

  /** Only the probe for the compacted revision watches one key. */
  #probe(stream: ServerDuplexStream<IWatchRequest, IWatchResponse>): void {
    if (this.compactedRevision === undefined) return
    watchOn(stream).send({ canceled: true, compact_revision: String(this.compactedRevision) })
  }
}

type Answer = (error: null, response: unknown) => void

function watchOn(stream: ServerDuplexStream<IWatchRequest, IWatchResponse>): ScriptedWatch {
  // What is left out of a response is filled in by the protocol.
  const send = (response: object): unknown => stream.write(response as IWatchResponse)
  // The stream's own type of `emit` knows no errors with a status, which are what it sends.
  const emitter: EventEmitter = stream
  return {
    send,
    created: (revision) => send({ created: true, header: { revision: String(revision) } }),
    cut: () => emitter.emit('error', Object.assign(new Error('cut'), { code: 14, details: 'cut by the script' })),
  }
}

/** The put of a store key, as etcd tells it. `previous` is the revision of the value before; absent for a creation. */
export function putEvent(key: string, revision: bigint, previous?: bigint): IEvent {
  const kv = keyValue(key, revision, previous === undefined ? revision : 1n)
  return { type: 'Put', kv, ...(previous === undefined ? {} : { prev_kv: keyValue(key, previous, 1n) }) } as IEvent
}

/** The put of the head, which every transaction holds. */
export function headEvent(revision: bigint, previous: bigint): IEvent {
  return putEvent('', revision, previous)
}

function keyValue(key: string, revision: bigint, created: bigint) {
  return {
    key: Buffer.from(`test/${key}`),
    value: Buffer.from(`${key}@${revision}`),
    mod_revision: String(revision),
    create_revision: String(created),
    version: '1',
    lease: '0',
  }
}

function serviceOf(name: 'Watch' | 'KV' | 'Maintenance') {
  const client = new Host('127.0.0.1:1', credentials.createInsecure()).getServiceClient(name)
  client.close()
  return (client.constructor as ServiceClientConstructor).service
}
