import { setMaxListeners } from 'node:events'
import { type ClientDuplexStream, Metadata } from '@grpc/grpc-js'
import { storeError } from '../errors.js'
import { EtcdClients, streamFunction, unaryFunction } from './etcd-clients.js'
import { isAuthenticationDisabled, isDeadline, isEndpointFailure, isStaleToken, toStoreError } from './etcd-errors.js'
import { ETCD, type StreamMethod, type UnaryMethod } from './etcd-methods.js'
import type { ResolvedEtcdOptions } from './etcd-options.js'

/** How a call is made. */
export interface EtcdCallOptions {
  /** What is attempted, for messages: follows "could not". */
  readonly attempt: string
  /** True for reads: after a failure of one member the next is asked. A write is never sent twice. */
  readonly repeatable: boolean
  readonly signal?: AbortSignal | undefined
}

/** A call with what it takes. */
interface Call<Request, Response> {
  readonly method: UnaryMethod<Request, Response>
  readonly request: Request
  readonly options: EtcdCallOptions
}

const AUTHENTICATE = { attempt: 'authenticate at etcd', repeatable: true }

/**
 * Calls etcd with deadlines, a token where one is needed, and a second try where that is safe. It uses etcd3's raw clients and not its
 * pool, which repeats writes, hides the status of a failure, keeps a circuit open for seconds after etcd is back, and cuts off
 * every call of a member when one watch is canceled.
 */
export class EtcdConnection {
  readonly #options: ResolvedEtcdOptions
  readonly #clients: EtcdClients
  readonly #calls = new Set<{ cancel(): void }>()
  readonly #closing = new AbortController()
  #token: Promise<string | undefined> | undefined

  constructor(options: ResolvedEtcdOptions) {
    this.#options = options
    this.#clients = new EtcdClients(options)
    this.#clients.checkIntegers()
    // Every watch of the store listens; there is no bound to their number.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Aborts when the connection is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  /** @throws AppError as `toStoreError` maps it; `STORE_CANCELED` when `signal` aborted a read or came before the call. */
  async unary<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    options: EtcdCallOptions,
  ): Promise<Response> {
    try {
      return await this.#untilAnswered({ method, request, options })
    } catch (error) {
      this.#checkOpen()
      if (options.signal?.aborted === true && options.repeatable) throw canceledError(options)
      throw toStoreError(error, options.attempt)
    }
  }

  /** Opens a stream. It reports its failures with an `error` event and must be ended with {@link endStream}. */
  async stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    options: { readonly deadline?: number } = {},
  ): Promise<ClientDuplexStream<Request, Response>> {
    this.#checkOpen()
    const metadata = await this.#metadata()
    // Without it a member that is cut off from the others keeps the stream open, and silent.
    metadata.set('hasleader', 'true')
    this.#checkOpen()
    const client = this.#clients.current(method.service)
    const stream = streamFunction(client, method)(metadata, options)
    this.#calls.add(stream)
    stream.on('end', () => this.#calls.delete(stream))
    stream.on('error', (error) => {
      this.#calls.delete(stream)
      // A stream that this side has ended did not fail.
      if (isEndpointFailure(error) && !stream.writableEnded) this.#clients.replace(client)
    })
    return stream
  }

  /** Fails every call and stream that is under way, and frees the sockets. */
  close(): void {
    this.#closing.abort()
    for (const call of this.#calls) call.cancel()
    this.#clients.close()
  }

  async #untilAnswered<Request, Response>(call: Call<Request, Response>): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#authenticated(call)
      } catch (error) {
        if (!this.#mayRepeat(call.options, { attempt, error })) throw error
      }
    }
  }

  /**
   * A connection that died while it was idle shows it at the next call, so that a read is tried again on the only member too; not
   * after a deadline, which would only double the wait.
   */
  #mayRepeat(
    { repeatable, signal }: EtcdCallOptions,
    { attempt, error }: { attempt: number; error: unknown },
  ): boolean {
    if (!repeatable || !isEndpointFailure(error)) return false
    if (signal?.aborted === true || this.#closing.signal.aborted) return false
    return attempt < Math.max(isDeadline(error) ? 1 : 2, this.#clients.members)
  }

  async #authenticated<Request, Response>(call: Call<Request, Response>): Promise<Response> {
    try {
      return await this.#send(call, await this.#metadata())
    } catch (error) {
      if (!isStaleToken(error) || this.#options.credentials === undefined) throw error
      this.#token = undefined
      return await this.#send(call, await this.#metadata())
    }
  }

  async #metadata(): Promise<Metadata> {
    const metadata = new Metadata()
    if (this.#options.credentials === undefined) return metadata
    this.#token ??= this.#authenticate(this.#options.credentials)
    const asked = this.#token
    try {
      const token = await asked
      if (token !== undefined) metadata.set('token', token)
      return metadata
    } catch (error) {
      if (this.#token === asked) this.#token = undefined
      throw toStoreError(error, AUTHENTICATE.attempt)
    }
  }

  async #authenticate(user: { readonly username: string; readonly password: string }): Promise<string | undefined> {
    try {
      const request = { name: user.username, password: user.password }
      const call = { method: ETCD.authenticate, request, options: AUTHENTICATE }
      return (await this.#send(call, new Metadata())).token
    } catch (error) {
      if (isAuthenticationDisabled(error)) return undefined
      throw error
    }
  }

  #send<Request, Response>(
    { method, request, options }: Call<Request, Response>,
    metadata: Metadata,
  ): Promise<Response> {
    this.#checkOpen()
    const { signal } = options
    if (signal?.aborted === true) throw canceledError(options)
    const client = this.#clients.current(method.service)
    const send = unaryFunction(client, method)
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + this.#options.callTimeoutMs
      const call = send(request, metadata, { deadline }, (error, response) => {
        this.#calls.delete(call)
        signal?.removeEventListener('abort', cancel)
        if (error === null && response !== undefined) return resolve(response)
        if (isEndpointFailure(error) && signal?.aborted !== true) this.#clients.replace(client)
        reject(error ?? new Error(`etcd answered ${method.name} with neither a response nor an error`))
      })
      const cancel = (): void => call.cancel()
      this.#calls.add(call)
      signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw storeError('STORE_CLOSED', 'could not use the store: it was closed')
  }
}

/** Ends a stream from this side, whatever state it is in; what it still reports is of no interest. */
export function endStream<Request, Response>(stream: ClientDuplexStream<Request, Response>): void {
  stream.on('error', () => undefined)
  stream.end()
  stream.cancel()
}

function canceledError({ attempt, signal }: EtcdCallOptions): Error {
  return storeError('STORE_CANCELED', `could not ${attempt}: the caller aborted it`, { cause: signal?.reason })
}
