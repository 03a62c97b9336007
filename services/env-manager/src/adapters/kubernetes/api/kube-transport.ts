import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https'
import type { KubeCredentials } from './kube-credentials.js'

/** One request. `path` begins with `/`; query values are encoded here. */
export interface KubeRequest {
  readonly method: 'GET' | 'PATCH' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: string
  readonly contentType?: string
  readonly signal: AbortSignal
}

/** Sends requests over kept connections, with fresh credentials for each. Knows nothing of answers. */
export class KubeTransport {
  // Node keeps connections with other credentials apart by itself.
  readonly #agents = { https: new HttpsAgent({ keepAlive: true }), http: new HttpAgent({ keepAlive: true }) }

  constructor(private readonly credentials: KubeCredentials) {}

  /** Resolves with the head of the answer, whatever its status. Rejects as node:https does. */
  async send(request: KubeRequest): Promise<IncomingMessage> {
    const { server } = this.credentials
    const options = await this.credentials.requestOptions()
    request.signal.throwIfAborted()
    const isPlain = server.protocol === 'http:'
    const agent = options.agent ?? (isPlain ? this.#agents.http : this.#agents.https)
    return exchange(isPlain ? httpRequest : httpsRequest, request, {
      ...options,
      agent,
      ...addressOf(server, request),
      method: request.method,
      signal: request.signal,
      headers: {
        ...options.headers,
        accept: 'application/json',
        'user-agent': 'tributary-env-manager',
        ...(request.body === undefined
          ? {}
          : {
              'content-type': request.contentType ?? 'application/json',
              'content-length': String(Buffer.byteLength(request.body)),
            }),
      },
    })
  }

  /** Closes idle connections. */
  close(): void {
    this.#agents.https.destroy()
    this.#agents.http.destroy()
  }
}

function addressOf(server: URL, { path, query = {} }: KubeRequest): RequestOptions {
  const parameters = new URLSearchParams(query).toString()
  // A cluster may live below a path, e.g. behind Rancher.
  const prefix = server.pathname.replace(/\/$/, '')
  return {
    hostname: server.hostname.replace(/^\[|\]$/g, ''),
    port: server.port === '' ? (server.protocol === 'http:' ? 80 : 443) : server.port,
    path: `${prefix}${path}${parameters === '' ? '' : `?${parameters}`}`,
  }
}

function exchange(open: typeof httpsRequest, { body }: KubeRequest, options: RequestOptions): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = open(options, resolve)
    sent.once('error', reject)
    sent.end(body)
  })
}

/** Reads an answer to its end. */
export async function readText(answer: IncomingMessage): Promise<string> {
  let text = ''
  answer.setEncoding('utf8')
  for await (const chunk of answer) text += String(chunk)
  return text
}
