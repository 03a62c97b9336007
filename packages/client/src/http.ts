import type { ErrorBody } from '@tributary/contract'
import { encodeOnBehalfOf, ON_BEHALF_OF_HEADER } from '@tributary/contract/light'
import { AppError, SseParser, ERROR_KINDS, type ErrorKind, type SseEvent } from '@tributary/kit'

/** Where a server is and who asks. */
export interface ClientOptions {
  /** Origin of the server, e.g. `http://127.0.0.1:7400`. */
  readonly baseUrl: string
  /** Bearer token, or what gives it for each call: one in a file may be rotated. Absent for the open routes only. */
  readonly token?: string | (() => string)
  /** The person for whom an admin or deployer token acts: history names them beside the token. */
  readonly onBehalfOf?: string
  /** How long a call that is not a stream may take. Default 30,000. */
  readonly timeoutMs?: number
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch
}

/** A query: undefined members are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** One call. */
export interface CallOptions {
  readonly query?: Query
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** Added to the client's own timeout: for calls that wait on purpose. */
  readonly extraTimeoutMs?: number
}

/** JSON over HTTP with `AppError` for everything that goes wrong. */
export interface HttpCaller {
  /** Sends and parses the answer; undefined for 204. `SERVER_UNREACHABLE` (retryable) when there is no answer. */
  call<T>(method: string, path: string, options?: CallOptions): Promise<T>
  /** Reads an answer piece by piece, however long it takes. @throws AppError `SERVER_UNREACHABLE` when it is cut off, too. */
  download(path: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** Reads Server-Sent Events until the server ends them or `signal` aborts (which ends the iteration quietly). */
  events(path: string, options: { readonly query?: Query; readonly signal: AbortSignal }): AsyncIterable<SseEvent>
}

/** Builds the caller that both typed clients stand on. */
export function createHttpCaller(options: ClientOptions): HttpCaller {
  const send = options.fetch ?? fetch
  const timeoutMs = options.timeoutMs ?? 30_000
  const { token, onBehalfOf } = options
  const headersNow = (): Record<string, string> => ({
    ...(token === undefined ? {} : { authorization: `Bearer ${typeof token === 'string' ? token : token()}` }),
    ...(onBehalfOf === undefined ? {} : { [ON_BEHALF_OF_HEADER]: encodeOnBehalfOf(onBehalfOf) }),
  })

  const request = async (url: URL, init: RequestInit): Promise<Response> => {
    let response: Response
    try {
      response = await send(url, { ...init, redirect: 'error' })
    } catch (error) {
      throw unreachable(url, init, error)
    }
    if (!response.ok) throw await errorOf(response, url)
    return response
  }

  return {
    async call<T>(method: string, path: string, { query, body, signal, extraTimeoutMs = 0 }: CallOptions = {}) {
      const timeout = AbortSignal.timeout(timeoutMs + extraTimeoutMs)
      const response = await request(urlOf(options.baseUrl, path, query), {
        method,
        headers: body === undefined ? headersNow() : { ...headersNow(), 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      const text = await response.text()
      return (text === '' ? undefined : JSON.parse(text)) as T
    },

    async *download(path, { signal } = {}) {
      const url = urlOf(options.baseUrl, path)
      const init = { method: 'GET', headers: headersNow(), ...(signal === undefined ? {} : { signal }) }
      try {
        const response = await request(url, init)
        for await (const chunk of response.body ?? []) yield chunk as Uint8Array
      } catch (error) {
        throw error instanceof AppError ? error : unreachable(url, init, error)
      }
    },

    async *events(path, { query, signal }) {
      const url = urlOf(options.baseUrl, path, query)
      try {
        const response = await request(url, {
          method: 'GET',
          headers: { ...headersNow(), accept: 'text/event-stream' },
          signal,
        })
        const parser = new SseParser()
        for await (const chunk of chunksOf(response, signal)) yield* parser.push(chunk)
      } catch (error) {
        if (signal.aborted) return
        throw error instanceof AppError ? error : unreachable(url, { method: 'GET', signal }, error)
      }
    },
  }
}

/**
 * Chunks of an answer until its end or the signal's abort. The signal that fetch was given does not end a stream for sure: fetch holds it by its Request
 * alone, which may have been collected by then.
 */
async function* chunksOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = body.getReader()
  const cancel = (): void => void reader.cancel().catch(() => undefined)
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || signal.aborted) return
      yield value
    }
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

function urlOf(baseUrl: string, path: string, query: Query = {}): URL {
  const url = new URL(path, baseUrl)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  return url
}

function unreachable(url: URL, init: RequestInit, cause: unknown): AppError {
  const what = `${init.method ?? 'GET'} ${url.origin}${url.pathname}`
  if (cause instanceof DOMException && cause.name === 'TimeoutError') {
    return new AppError({
      kind: 'deadline_exceeded',
      code: 'SERVER_TIMEOUT',
      message: `${what}: no answer in time`,
      cause,
    })
  }
  if (cause instanceof DOMException && cause.name === 'AbortError') {
    return new AppError({ kind: 'canceled', code: 'CANCELED', message: `${what}: canceled by the caller`, cause })
  }
  return new AppError({
    kind: 'unavailable',
    code: 'SERVER_UNREACHABLE',
    message: `${what}: the server cannot be reached${reasonOf(cause)}; is it running, and is the address right?`,
    cause,
  })
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? (cause.cause ?? cause) : undefined
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : undefined
  return code === undefined ? '' : ` (${code})`
}

async function errorOf(response: Response, url: URL): Promise<AppError> {
  const text = await response.text().catch(() => '')
  const body = parseErrorBody(text)
  if (body !== undefined) {
    const { kind, code, message, retryable, details } = body.error
    return new AppError({ kind: isErrorKind(kind) ? kind : 'internal', code, message, retryable, details })
  }
  return new AppError({
    kind: response.status === 503 ? 'unavailable' : 'internal',
    code: 'UNEXPECTED_ANSWER',
    message: `${url.origin}${url.pathname} answered ${response.status} with something that is not an error of Tributary; is this its address?`,
    details: { status: response.status },
  })
}

function parseErrorBody(text: string): ErrorBody | undefined {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null
    return typeof body?.error?.code === 'string' && typeof body.error.message === 'string'
      ? (body as ErrorBody)
      : undefined
  } catch {
    return undefined
  }
}

function isErrorKind(kind: string): kind is ErrorKind {
  return (ERROR_KINDS as readonly string[]).includes(kind)
}
