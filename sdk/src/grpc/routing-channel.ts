import {
  Channel,
  connectivityState,
  status,
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
} from '@grpc/grpc-js'
import type { Endpoint } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import { activeTelemetry } from '../context/open-telemetry.js'
import { activeContext } from '../context/routing-context.js'
import { endpointElsewhere, pickEndpoint, type CallTarget } from '../outgoing/call-plan.js'
import type { Tributary } from '../tributary.js'
import type { CallRoute } from './call-route.js'
import { FailedCall } from './failed-call.js'
import type { MadeCall } from './made-call.js'
import { RoutedGrpcCall } from './routed-grpc-call.js'

type Call = ReturnType<ChannelInterface['createCall']>
type CallParameters = Parameters<ChannelInterface['createCall']>

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
  readonly #target: CallTarget
  readonly #channels = new Map<string, Channel>()
  readonly #stopWatching: readonly (() => void)[]
  #closed = false

  constructor(client: Tributary, options: RoutingChannelOptions) {
    this.#client = client
    this.#options = options
    this.#target = { host: options.service, port: undefined, defaultPort: 0, protocols: ['grpc'] }
    // An address has left once neither the own view nor the route table has it, and they change one after the other.
    const look = (): void => this.#closeThoseThatLeft()
    this.#stopWatching = [client.onRoutesChange(look), client.onServicesChange(look)]
  }

  createCall(...parameters: CallParameters): Call {
    if (this.#closed) return new FailedCall({ code: status.UNAVAILABLE, details: 'the routing channel is closed' })
    try {
      const made = this.#made(parameters[0])
      const route = this.#routeTo(this.#endpointNow(), parameters)
      return new RoutedGrpcCall({ made, route, elsewhere: (failed) => this.#elsewhere(failed, parameters) })
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
    for (const stop of this.#stopWatching) stop()
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
    return this.#channelTo(this.#endpointNow()).getChannelzRef()
  }

  #made(path: string): MadeCall {
    const { routing, service: caller } = this.#client
    const { service } = this.#options
    const contexts = { context: routing.contextOfCall(), active: activeContext(), telemetry: activeTelemetry() }
    return { routing, service, path, caller, ...contexts }
  }

  #endpointNow(): Readonly<Endpoint> {
    return pickEndpoint(this.#client, this.#options.service, this.#target)
  }

  #routeTo(endpoint: Readonly<Endpoint>, parameters: CallParameters): CallRoute {
    const channel = this.#channelTo(endpoint)
    return { call: channel.createCall(...parameters), channel, endpoint }
  }

  #elsewhere({ endpoint }: CallRoute, parameters: CallParameters): CallRoute | undefined {
    const next = this.#closed ? undefined : endpointElsewhere(this.#client, this.#target, endpoint)
    return next === undefined ? undefined : this.#routeTo(next, parameters)
  }

  #channelTo({ host, port }: Readonly<Endpoint>): Channel {
    const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
    const known = this.#channels.get(address)
    if (known !== undefined) return known
    const made = new Channel(address, this.#options.credentials, this.#options.channel ?? {})
    this.#channels.set(address, made)
    return made
  }

  /**
   * Environments come and go: connections to what is no address of the system any more are closed. Calls that are answered over them go on; those that
   * wait for them, be it for as long as it takes, end as not sent and move.
   */
  #closeThoseThatLeft(): void {
    for (const [address, channel] of this.#channels) {
      const colon = address.lastIndexOf(':')
      if (this.#client.routing.serviceAt(address.slice(0, colon), Number(address.slice(colon + 1))) !== undefined)
        continue
      this.#channels.delete(address)
      channel.close()
    }
  }
}
