import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { failure } from '../../errors.js'
import { RotatingFile, type ApiServerAddress } from './api-server-address.js'

/** An answer of the API server with its JSON body; undefined when that is none. */
export interface ApiAnswer {
  readonly status: number
  readonly body: unknown
}

/** A request. `path` begins with `/` and has the query. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** Silence of a watch beyond what the server was told to keep it for ends it. */
export interface WatchRequest {
  readonly path: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** False ends the watch. */
  readonly onLine: (line: string) => boolean
}

const REQUEST_TIMEOUT_MS = 5_000
const MAX_ANSWER_CHARS = 64 * 1024 * 1024
const KEEP_ALIVE_MS = 15_000

/**
 * Requests to a Kubernetes API server with an in-cluster identity. Three kinds of request do not need a client of a hundred megabytes; nothing here
 * retries, the callers know what is worth it. All errors are `WORKLOAD_IDENTITY_UNAVAILABLE`.
 */
export class ApiServer {
  readonly #url: string
  readonly #token: RotatingFile
  readonly #ca: RotatingFile | undefined
  #agent: { readonly ca: string | undefined; readonly agent: HttpAgent } | undefined

  constructor({ url, tokenFile, caFile }: ApiServerAddress, monotonicMs: () => number = () => performance.now()) {
    this.#url = url
    this.#token = new RotatingFile(tokenFile, monotonicMs)
    this.#ca = caFile === undefined ? undefined : new RotatingFile(caFile, monotonicMs)
  }

  /** Sends a request and reads its answer, whatever its status; but 401 is tried once more with credentials read anew. */
  async request(request: ApiRequest): Promise<ApiAnswer> {
    const answer = await this.#requestOnce(request)
    if (answer.status !== 401) return answer
    this.#token.expire()
    this.#ca?.expire()
    return this.#requestOnce(request)
  }

  /** Follows a watch line by line until it ends, is silent for too long, or `signal` aborts. Resolves with the status when it is not 200. */
  async watch({ path, timeoutMs, signal, onLine }: WatchRequest): Promise<number> {
    const request = this.#begin({ method: 'GET', path })
    const abort = (): void => void request.destroy(new Error('the watch is over'))
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    request.setTimeout(timeoutMs, abort)
    try {
      const response = await answerTo(request)
      if (response.statusCode === 200) await readLines(response, onLine)
      else if (response.statusCode === 401) this.#token.expire()
      return response.statusCode ?? 0
    } catch (error) {
      throw unreachable(this.#url, error)
    } finally {
      signal.removeEventListener('abort', abort)
      request.destroy()
    }
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent?.agent.destroy()
  }

  async #requestOnce(request: ApiRequest): Promise<ApiAnswer> {
    const outgoing = this.#begin(request)
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${REQUEST_TIMEOUT_MS} ms`)),
      REQUEST_TIMEOUT_MS,
    )
    try {
      const response = await answerTo(outgoing)
      return { status: response.statusCode ?? 0, body: parse(await readText(response)) }
    } catch (error) {
      throw unreachable(this.#url, error)
    } finally {
      clearTimeout(timer)
    }
  }

  #begin({ method, path, body, signal }: ApiRequest): ClientRequest {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
    const start = this.#url.startsWith('https:') ? httpsRequest : httpRequest
    const request = start(`${this.#url}${path}`, {
      method,
      agent: this.#agentForNow(),
      ...(signal === undefined ? {} : { signal }),
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${this.#token.read()}`,
        ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
      },
    })
    request.end(payload)
    return request
  }

  #agentForNow(): HttpAgent {
    const ca = this.#ca?.read()
    if (this.#agent !== undefined && this.#agent.ca === ca) return this.#agent.agent
    this.#agent?.agent.destroy()
    const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS }
    const agent = this.#url.startsWith('https:')
      ? new HttpsAgent({ ...options, ...(ca === undefined ? {} : { ca }) })
      : new HttpAgent(options)
    this.#agent = { ca, agent }
    return agent
  }
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve)
    // Stays for as long as the request: after its answer began, the answer's reader is told, and nobody else must be.
    request.on('error', reject)
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    text += String(chunk)
    if (text.length > MAX_ANSWER_CHARS) throw new Error('the answer is too long')
  }
  return text
}

async function readLines(response: IncomingMessage, onLine: WatchRequest['onLine']): Promise<void> {
  let rest = ''
  response.setEncoding('utf8')
  for await (const chunk of response) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_ANSWER_CHARS) throw new Error('a line of the watch is too long')
    for (const line of lines) if (line !== '' && !onLine(line)) return
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unreachable(url: string, cause: unknown): Error {
  return failure(
    'WORKLOAD_IDENTITY_UNAVAILABLE',
    `The API server ${url} does not answer, so it cannot say whose token this is; try again.`,
    { cause },
  )
}
