import type { ChannelInterface } from '@grpc/grpc-js'
import { RoutingChannel, type RoutingChannelOptions } from './grpc/routing-channel.js'
import type { Tributary } from './tributary.js'

export type { RoutingChannelOptions } from './grpc/routing-channel.js'
export { tributaryInterceptor } from './grpc/server-interceptor.js'

/**
 * A channel for grpc-js clients that goes, call by call, to the copy of the service that the current request's tenant sees, with its
 * routing context: `new OrdersClient('orders', credentials, { channelOverride: createChannel(client, { service: 'orders', credentials }) })`.
 * A service that is masked fails calls with FAILED_PRECONDITION, a missing one with NOT_FOUND. A call that no server has got, because its connection
 * is refused or never comes, goes once to where the service is by then; what may have reached a server is repeated only by a `retryPolicy` of the program's own
 * (`channel: { 'grpc.service_config': … }`). Its owner closes it (the client's `close()` does).
 */
export function createChannel(client: Tributary, options: RoutingChannelOptions): ChannelInterface {
  return new RoutingChannel(client, options)
}
