import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { BearerToken } from './bearer-token.js'

/** An answer with a JSON body; `body` is undefined when there was none. */
export interface JsonAnswer {
  readonly status: number
  readonly body: unknown
  /** What `Retry-After` asks for, when it is given in seconds. */
  readonly retryAfterMs: number | undefined
}

/** A request for JSON. `timeoutMs` bounds it from the connect to the last byte. */
export interface JsonRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** `own`: a new connection for this request alone, which a balancer may lead to another replica. Default `shared`. */
  readonly connection?: 'shared' | 'own'
}

/** A request that the caller drives. */
export interface TransportRequest extends Pick<JsonRequest, 'path' | 'connection'> {
  readonly method: string
  readonly headers: Readonly<Record<string, string | number>>
}

/** The most bytes of an answer that are read. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/**
 * HTTP to one config center over an own keep-alive agent: node:http, because a stream must not share the process's global
 * agents and dispatchers, which users replace. Redirects are never followed, so the token goes nowhere else.
 */
export class Transport {
  readonly #base: URL
  readonly #token: BearerToken
  readonly #agent: HttpAgent
  readonly #start: typeof httpRequest

  constructor(base: URL, token: BearerToken) {
    const secure = base.protocol === 'https:'
    this.#base = base
    this.#token = token
    this.#agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
    this.#start = secure ? httpsRequest : httpRequest
  }

  /** Begins a request; the caller listens to it, ends it and handles its errors. */
  begin({ method, path, headers, connection }: TransportRequest): ClientRequest {
    const url = new URL(this.#base.href.replace(/\/+$/, '') + path)
    return this.#start(url, {
      method,
      agent: connection === 'own' ? false : this.#agent,
      headers: { ...headers, authorization: `Bearer ${this.#token.current()}` },
    })
  }

  /** Sends a request and reads the whole answer, whatever its status. Rejects when there is no answer in time. */
  requestJson(options: JsonRequest): Promise<JsonAnswer> {
    const payload = options.body === undefined ? undefined : Buffer.from(JSON.stringify(options.body))
    const { method, path, connection = 'shared' } = options
    const headers = {
      accept: 'application/json',
      ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
    }
    const request = this.begin({ method, path, headers, connection })
    const answer = new Promise<JsonAnswer>((resolve, reject) => {
      request.once('error', reject)
      request.once('response', (response) => void readAnswer(response).then(resolve, reject))
    })
    request.end(payload)
    return bounded(request, answer, options)
  }

  /** Closes idle connections; those in use end with their requests. */
  close(): void {
    this.#agent.destroy()
  }
}

async function bounded(request: ClientRequest, answer: Promise<JsonAnswer>, options: JsonRequest): Promise<JsonAnswer> {
  const abort = (): void => void request.destroy(new Error('the request was given up because the client closes'))
  const timer = setTimeout(
    () => request.destroy(new Error(`no answer within ${options.timeoutMs} ms`)),
    options.timeoutMs,
  )
  options.signal.addEventListener('abort', abort, { once: true })
  if (options.signal.aborted) abort()
  try {
    return await answer
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', abort)
  }
}

async function readAnswer(response: IncomingMessage): Promise<JsonAnswer> {
  const text = await readText(response, MAX_ANSWER_BYTES)
  return { status: response.statusCode ?? 0, body: parseOrUndefined(text), retryAfterMs: retryAfterMs(response) }
}

/** Reads a body of at most `maxBytes`; a longer one ends the connection and rejects. */
export async function readText(response: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxBytes) {
      response.destroy()
      throw new Error(`the answer is longer than ${maxBytes} bytes`)
    }
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The value of `Retry-After` in seconds; undefined when absent or a date. */
export function retryAfterMs(response: IncomingMessage): number | undefined {
  const text = response.headers['retry-after']
  return text !== undefined && /^[0-9]{1,6}$/.test(text) ? Number(text) * 1000 : undefined
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
