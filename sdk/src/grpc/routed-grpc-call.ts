import { status, type CallCredentials, type ChannelInterface, type Metadata, type StatusObject } from '@grpc/grpc-js'
import { runWithContext } from '../context/routing-context.js'
import { isUnsent, type CallRoute } from './call-route.js'
import { callMetadata, inContext, observe, told, type Listener, type MadeCall } from './made-call.js'
import { Outbox } from './outbox.js'

type Call = ReturnType<ChannelInterface['createCall']>

/** A call as the program has started it, with the routing context. */
interface StartedCall {
  readonly metadata: Metadata
  readonly listener: Listener
}

/** Where a call goes. */
export interface RoutedGrpcCallOptions {
  readonly made: MadeCall
  readonly route: CallRoute
  /** The way to where the service is now, asked in the call's routing context; undefined: there is no other. */
  readonly elsewhere: (failed: CallRoute) => CallRoute | undefined
}

/**
 * A call to a service, to its program one call whichever address it goes to. It moves once: when its connection could not be made, or its server has refused
 * it unseen, and the service is elsewhere by then. A call that may have reached a server ends with its failure: whether its method can be repeated
 * is not known here, and the program says so to grpc-js, by a retry policy.
 */
export class RoutedGrpcCall implements Call {
  readonly #made: MadeCall
  readonly #elsewhere: RoutedGrpcCallOptions['elsewhere']
  readonly #outbox = new Outbox()
  #route: CallRoute
  #started: StartedCall | undefined
  #credentials: CallCredentials | undefined
  #isReading = false
  #mayMove = true

  constructor({ made, route, elsewhere }: RoutedGrpcCallOptions) {
    this.#made = made
    this.#route = route
    this.#elsewhere = elsewhere
  }

  start(metadata: Metadata, listener: Listener): void {
    const ended = observe(this.#made, metadata)
    this.#started = {
      metadata: callMetadata(this.#made, metadata),
      listener: told(ended, inContext(this.#made, listener)),
    }
    this.#begin(this.#started)
  }

  sendMessageWithContext(...[context, message]: Parameters<Call['sendMessageWithContext']>): void {
    this.#outbox.send(this.#route.call, context, message)
  }

  halfClose(): void {
    this.#outbox.halfClose(this.#route.call)
  }

  startRead(): void {
    this.#isReading = true
    this.#route.call.startRead()
  }

  cancelWithStatus(code: status, details: string): void {
    this.#settle()
    this.#route.call.cancelWithStatus(code, details)
  }

  setCredentials(credentials: CallCredentials): void {
    this.#credentials = credentials
    this.#route.call.setCredentials(credentials)
  }

  getPeer(): string {
    return this.#route.call.getPeer()
  }

  getCallNumber(): number {
    return this.#route.call.getCallNumber()
  }

  getAuthContext(): ReturnType<Call['getAuthContext']> {
    return this.#route.call.getAuthContext()
  }

  #begin({ metadata, listener }: StartedCall): void {
    this.#route.call.start(metadata, {
      onReceiveMetadata: (received) => {
        this.#settle()
        listener.onReceiveMetadata(received)
      },
      onReceiveMessage: (message) => {
        this.#settle()
        listener.onReceiveMessage(message)
      },
      onReceiveStatus: (ended) => {
        if (this.#moves(ended)) return
        this.#settle()
        listener.onReceiveStatus(ended)
      },
    })
  }

  /** It was answered, was cancelled or has moved: from now on it stays where it is. */
  #settle(): void {
    this.#mayMove = false
    this.#outbox.forget()
  }

  #moves({ code }: StatusObject): boolean {
    const started = this.#started
    if (!this.#mayMove || code !== status.UNAVAILABLE || started === undefined) return false
    if (!this.#outbox.isWhole || !isUnsent(this.#route)) return false
    const next = runWithContext(this.#made.context, this.#elsewhere, this.#route)
    if (next === undefined) return false
    this.#mayMove = false
    this.#route = next
    if (this.#credentials !== undefined) next.call.setCredentials(this.#credentials)
    this.#begin(started)
    this.#outbox.replay(next.call)
    if (this.#isReading) next.call.startRead()
    return true
  }
}
