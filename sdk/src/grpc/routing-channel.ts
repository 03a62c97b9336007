import {
  Channel,
  connectivityState,
  status,
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  type Metadata,
  type StatusObject,
} from '@grpc/grpc-js'
import { CALLER_HEADER } from '@tributary/contract/light'
import { isAppError } from '@tributary/kit'
import { activeTelemetry, resumeTelemetry } from '../context/open-telemetry.js'
import { activeContext, resumeContext, type RoutingContext } from '../context/routing-context.js'
import type { Routing } from '../context/routing.js'
import type { EndOfCall } from '../observe/call-observer.js'
import { traceIdOf } from '../observe/trace-id.js'
import { pickEndpoint } from '../outgoing/call-plan.js'
import { baggageToService } from '../outgoing/outgoing-baggage.js'
import type { Tributary } from '../tributary.js'
import { FailedCall } from './failed-call.js'
import { isFailure, labelOf } from './grpc-call.js'

type Call = ReturnType<ChannelInterface['createCall']>

/** Which service a channel leads to, and how its connections are made. */
export interface RoutingChannelOptions {
  readonly service: string
  readonly credentials: ChannelCredentials
  /** Options of the connections, as grpc-js has them. */
  readonly channel?: ChannelOptions
}

/** The status that a call gets which has no address to go to. */
const STATUS_OF: Readonly<Record<string, status>> = {
  SERVICE_MASKED: status.FAILED_PRECONDITION,
  SERVICE_NOT_FOUND: status.NOT_FOUND,
}

/**
 * A channel to whichever copy of the service the tenant of each call sees: one real channel for each address, and the routing context in
 * each call's metadata. Nothing leaves the system through it, because it knows no other addresses.
 */
export class RoutingChannel implements ChannelInterface {
  readonly #client: Tributary
  readonly #options: RoutingChannelOptions
  readonly #channels = new Map<string, Channel>()
  #closed = false

  constructor(client: Tributary, options: RoutingChannelOptions) {
    this.#client = client
    this.#options = options
  }

  createCall(...parameters: Parameters<ChannelInterface['createCall']>): Call {
    try {
      const { routing, service: caller } = this.#client
      const { service } = this.#options
      const call = {
        context: routing.contextOfCall(),
        active: activeContext(),
        routing,
        service,
        caller,
        telemetry: activeTelemetry(),
      }
      return bearing({ ...call, path: parameters[0] }, this.#channelNow().createCall(...parameters))
    } catch (error) {
      if (!isAppError(error)) throw error
      return new FailedCall({
        code: STATUS_OF[error.code] ?? status.UNAVAILABLE,
        details: `${error.code}: ${error.message}`,
      })
    }
  }

  close(): void {
    this.#closed = true
    for (const channel of this.#channels.values()) channel.close()
    this.#channels.clear()
  }

  getTarget(): string {
    return this.#options.service
  }

  /** READY while it is open: which connection a call needs is known when it is made. */
  getConnectivityState(): connectivityState {
    return this.#closed ? connectivityState.SHUTDOWN : connectivityState.READY
  }

  watchConnectivityState(state: connectivityState, _deadline: Date | number, callback: (error?: Error) => void): void {
    const error = new Error('the state of a routing channel does not change while it is open')
    process.nextTick(() => (state === this.getConnectivityState() ? callback(error) : callback()))
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.#channelNow().getChannelzRef()
  }

  #channelNow(): Channel {
    const { service, credentials, channel: options = {} } = this.#options
    const target = { host: service, port: undefined, defaultPort: 0, protocols: ['grpc'] as const }
    const { host, port } = pickEndpoint(this.#client, service, target)
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const known = this.#channels.get(address)
    if (known !== undefined) return known
    this.#closeThoseThatLeft()
    const made = new Channel(address, credentials, options)
    this.#channels.set(address, made)
    return made
  }

  /** Environments come and go: what is no address of the system any more is closed when another one comes. */
  #closeThoseThatLeft(): void {
    for (const [address, channel] of this.#channels) {
      const colon = address.lastIndexOf(':')
      if (this.#client.routing.serviceAt(address.slice(0, colon), Number(address.slice(colon + 1))) !== undefined)
        continue
      channel.close()
      this.#channels.delete(address)
    }
  }
}

type Listener = Parameters<Call['start']>[1]

/** A call as it is made. */
interface MadeCall {
  readonly routing: Routing
  readonly service: string
  readonly path: string
  /** The service that calls. */
  readonly caller: string | undefined
  /** What it bears, and the context of the code that makes it. */
  readonly context: RoutingContext
  readonly active: RoutingContext | undefined
  readonly telemetry: ReturnType<typeof activeTelemetry>
}

/** The context is that of whoever makes the call; `start` may come later, from elsewhere. */
function bearing(made: MadeCall, call: Call): Call {
  const start = call.start.bind(call)
  return Object.assign(call, {
    start: (metadata: Metadata, listener: Listener) => {
      const ended = observe(made, metadata)
      start(withContext(made, metadata), told(ended, inContext(made, listener)))
    },
  })
}

function observe({ routing, service, path, context, active }: MadeCall, metadata: Metadata): EndOfCall {
  const traceId = traceIdOf(metadata.get('traceparent').map(String)[0])
  const { tenant } = context
  return routing.observer.call({
    service,
    method: 'POST',
    path,
    route: labelOf(path),
    tenant,
    traceId,
    context: active,
  })
}

/** grpc-js tells of answers in the context of whoever opened the connection, which may be another tenant's. */
function inContext({ active, telemetry }: MadeCall, listener: Listener): Listener {
  const resume = (tell: () => void): void => resumeTelemetry(telemetry, () => resumeContext(active, tell))
  return {
    onReceiveMetadata: (metadata) => resume(() => listener.onReceiveMetadata(metadata)),
    onReceiveMessage: (message) => resume(() => listener.onReceiveMessage(message)),
    onReceiveStatus: (status) => resume(() => listener.onReceiveStatus(status)),
  }
}

/** A call has ended with its status, streams included: only then is it known whether it failed. */
function told(ended: EndOfCall, listener: Listener): Listener {
  return {
    onReceiveMetadata: (metadata) => listener.onReceiveMetadata(metadata),
    onReceiveMessage: (message) => listener.onReceiveMessage(message),
    onReceiveStatus: (status: StatusObject) => {
      ended(isFailure(status.code))
      listener.onReceiveStatus(status)
    },
  }
}

function withContext({ context, caller }: MadeCall, metadata: Metadata): Metadata {
  const written = metadata.get('baggage').map(String).join(',')
  const baggage = baggageToService(context, written === '' ? undefined : written)
  const copy = metadata.clone()
  // Tabs are white space in a header and not allowed in metadata.
  if (baggage === undefined) copy.remove('baggage')
  else copy.set('baggage', baggage.replaceAll('\t', ' '))
  if (caller !== undefined && copy.get(CALLER_HEADER).length === 0) copy.set(CALLER_HEADER, caller)
  return copy
}
