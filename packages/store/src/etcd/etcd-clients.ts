import {
  type ChannelCredentials,
  type ChannelOptions,
  type Client,
  type ClientDuplexStream,
  type ClientUnaryCall,
  connectivityState,
  credentials,
  type Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js'
import type { ILeaseRevokeRequest } from 'etcd3'
import { Host } from 'etcd3/lib/connection-pool.js'
import type { EtcdService, StreamMethod, UnaryMethod } from './etcd-methods.js'
import type { ResolvedEtcdOptions } from './etcd-options.js'

type UnaryFunction<Request, Response> = (
  ...call: [
    request: Request,
    metadata: Metadata,
    options: { readonly deadline: number },
    callback: (error: ServiceError | null, response?: Response) => void,
  ]
) => ClientUnaryCall

type StreamFunction<Request, Response> = (
  metadata: Metadata,
  options: { readonly deadline?: number },
) => ClientDuplexStream<Request, Response>

/** Room for a range of many values; a replay of history needs less, as etcd sends it in fragments. */
const MAX_RECEIVE_BYTES = 512 * 1024 * 1024
const RECONNECT_MS = { first: 100, longest: 1_000 }
/** How long a member may take to greet. gRPC has no bound, and cannot give up the socket of such an attempt. */
const GREETING_MS = 30_000
/** 2^63 - 1. */
const LONGEST = '9223372036854775807'

/** One gRPC client: a service of a member, over a connection of its own. */
export interface EtcdClient {
  readonly member: number
  readonly service: EtcdService
  readonly client: Client
  /** Monotonic. */
  readonly madeAtMs: number
}

/**
 * The gRPC clients of etcd3, one per member and service. A client that failed is replaced at once, and the next member is taken:
 * there is nothing to wait for when etcd is back.
 */
export class EtcdClients {
  readonly #addresses: readonly string[]
  readonly #credentials: ChannelCredentials
  readonly #options: ChannelOptions
  readonly #clients = new Map<string, EtcdClient>()
  #member = 0

  constructor(options: ResolvedEtcdOptions) {
    this.#addresses = options.addresses
    this.#credentials = channelCredentials(options)
    this.#options = channelOptions(options)
  }

  /** Number of members that can be asked. */
  get members(): number {
    return this.#addresses.length
  }

  /** The client to use for a service now. */
  current(service: EtcdService): EtcdClient {
    const member = this.#member
    const known = this.#clients.get(keyOf({ member, service }))
    if (known !== undefined) return known
    const address = this.#addresses[member]
    if (address === undefined) throw new Error(`there is no member ${member}`)
    const client = new Host(address, this.#credentials, this.#options).getServiceClient(service)
    const made = { member, service, client, madeAtMs: performance.now() }
    this.#clients.set(keyOf(made), made)
    return made
  }

  /** Only the client that failed goes: by the time a call fails another one may have replaced it already. */
  replace(failed: EtcdClient): void {
    if (this.#member === failed.member) this.#member = (this.#member + 1) % this.#addresses.length
    if (this.#clients.get(keyOf(failed)) !== failed) return
    // A frozen member takes connections and does not greet. Each new attempt would leave a socket behind until it wakes up.
    const isConnecting = failed.client.getChannel().getConnectivityState(false) === connectivityState.CONNECTING
    if (isConnecting && performance.now() - failed.madeAtMs < GREETING_MS) return
    this.#clients.delete(keyOf(failed))
    failed.client.close()
  }

  /**
   * Proves that 64-bit integers come through exactly: without the package `long`, which its protocol library may fail to find,
   * revisions and lease ids are rounded in silence.
   */
  checkIntegers(): void {
    const { service } = this.current('Lease').client.constructor as ServiceClientConstructor
    const method = service['LeaseRevoke']
    const sent = method?.requestDeserialize(method.requestSerialize({ ID: LONGEST })) as ILeaseRevokeRequest | undefined
    if (sent?.ID === LONGEST) return
    throw new Error('the gRPC library cannot read 64-bit integers: its package "long" did not load')
  }

  /** Frees the sockets. */
  close(): void {
    for (const { client } of this.#clients.values()) client.close()
    this.#clients.clear()
  }
}

function keyOf({ member, service }: Pick<EtcdClient, 'member' | 'service'>): string {
  return `${member} ${service}`
}

/** A method with one answer, bound to its client. */
export function unaryFunction<Request, Response>(
  { client }: EtcdClient,
  method: UnaryMethod<Request, Response>,
): UnaryFunction<Request, Response> {
  return methodOf(client, method.name) as UnaryFunction<Request, Response>
}

/** A method with streams, bound to its client. */
export function streamFunction<Request, Response>(
  { client }: EtcdClient,
  method: StreamMethod<Request, Response>,
): StreamFunction<Request, Response> {
  return methodOf(client, method.name) as StreamFunction<Request, Response>
}

/** The methods are made from etcd's protocol file when the program runs, so that TypeScript knows none of them. */
function methodOf(client: Client, name: string): unknown {
  const method: unknown = Reflect.get(client, name)
  if (typeof method !== 'function') throw new Error(`etcd's protocol has no method ${name}`)
  return method.bind(client)
}

function channelCredentials({ tls }: ResolvedEtcdOptions): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure()
  const pem = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text))
  return credentials.createSsl(pem(tls.ca), pem(tls.key), pem(tls.cert))
}

function channelOptions({ keepalive }: ResolvedEtcdOptions): ChannelOptions {
  return {
    'grpc.keepalive_time_ms': keepalive.timeMs,
    'grpc.keepalive_timeout_ms': keepalive.timeoutMs,
    // etcd counts pings on a connection without calls as abuse and hangs up.
    'grpc.keepalive_permit_without_calls': 0,
    'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MS.first,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MS.longest,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // Connections of its own: closing the store then closes its sockets at once.
    'grpc.use_local_subchannel_pool': 1,
  }
}
