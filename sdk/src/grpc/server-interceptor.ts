import { ServerInterceptingCall, type Metadata, type ServerInterceptor, type ServerListener } from '@grpc/grpc-js'
import { CALLER_HEADER } from '@tributary/contract/light'
import { NO_CONTEXT, runWithContext, type RoutingContext } from '../context/routing-context.js'
import type { ObservedRequest } from '../observe/call-observer.js'
import { ServedRequest } from '../observe/served-request.js'
import type { Tributary } from '../tributary.js'
import { labelOf } from './grpc-call.js'

/**
 * Runs the handlers of a gRPC server in the routing context of their calls, and observes them as HTTP requests are:
 * `new Server({ interceptors: [tributaryInterceptor(client)] })`.
 */
export function tributaryInterceptor(client: Tributary): ServerInterceptor {
  return ({ path }, call) => {
    const served = new ServedCall(client, path)
    return new ServerInterceptingCall(call, {
      start: (next) => next(served.listener()),
      sendStatus: (status, next) => {
        served.end()
        next(status)
      },
    })
  }
}

class ServedCall {
  readonly #client: Tributary
  readonly #path: string
  #context: RoutingContext = NO_CONTEXT
  #ended = false

  constructor(client: Tributary, path: string) {
    this.#client = client
    this.#path = path
  }

  /** Handlers are called from whichever event completes what they need, so all of them run in the context. */
  listener(): ServerListener {
    return {
      onReceiveMetadata: (metadata: Metadata, next) => {
        this.#begin(metadata)
        runWithContext(this.#context, () => next(metadata))
      },
      onReceiveMessage: (message: unknown, next) => runWithContext(this.#context, () => next(message)),
      onReceiveHalfClose: (next) => runWithContext(this.#context, next),
      // Without next: grpc-js calls the handler's own listener itself.
      onCancel: () => this.end(),
    }
  }

  /** It was answered, or cancelled. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    ServedRequest.find(this.#context)?.end()
  }

  #begin(metadata: Metadata): void {
    const { routing } = this.#client
    const accepted = routing.accept(textOf(metadata, 'baggage'))
    if (this.#ended) this.#context = accepted
    else this.#context = routing.observer.serve(accepted, this.#request(metadata))
  }

  #request(metadata: Metadata): ObservedRequest {
    const traceparent = textOf(metadata, 'traceparent')
    const caller = textOf(metadata, CALLER_HEADER)
    const headers = { ...(traceparent && { traceparent }), ...(caller && { [CALLER_HEADER]: caller }) }
    return { method: 'POST', url: this.#path, route: labelOf(this.#path), headers }
  }
}

function textOf(metadata: Metadata, name: string): string {
  return metadata.get(name).map(String).join(',')
}
