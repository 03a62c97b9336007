import { ServerInterceptingCall, type Metadata, type ServerInterceptor, type ServerListener } from '@grpc/grpc-js'
import { NO_CONTEXT, runWithContext, type RoutingContext } from '../context/routing-context.js'
import type { Tributary } from '../tributary.js'

/**
 * Runs the handlers of a gRPC server in the routing context of their calls:
 * `new Server({ interceptors: [tributaryInterceptor(client)] })`.
 */
export function tributaryInterceptor(client: Tributary): ServerInterceptor {
  return (_method, call) => new ServerInterceptingCall(call, { start: (next) => next(contextListener(client)) })
}

/** Handlers are called from whichever event completes what they need, so all of them run in the context. */
function contextListener(client: Tributary): ServerListener {
  let context: RoutingContext = NO_CONTEXT
  return {
    onReceiveMetadata: (metadata: Metadata, next) => {
      context = client.routing.accept(metadata.get('baggage').map(String).join(','))
      runWithContext(context, () => next(metadata))
    },
    onReceiveMessage: (message: unknown, next) => runWithContext(context, () => next(message)),
    onReceiveHalfClose: (next) => runWithContext(context, next),
    // Without next: grpc-js calls the handler's own listener itself.
    onCancel: () => undefined,
  }
}
