import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemClock, type Clock } from '@tributary/kit'
import { KubeApi } from './kube-api.js'
import { KubeTransport } from './kube-transport.js'

/** Answers one request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** An API server that answers what a test wants, in this process. */
export class ScriptedServer implements AsyncDisposable {
  /** `METHOD path?query` of every request. */
  readonly requests: string[] = []
  readonly bodies: string[] = []
  answer: Answer = (_request, response) => response.writeHead(404).end('{}')
  readonly #server: Server
  #transport: KubeTransport | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(): Promise<ScriptedServer> {
    const http = createServer()
    const server = new ScriptedServer(http)
    http.on('request', (request: IncomingMessage, response: ServerResponse) => {
      server.requests.push(`${request.method} ${request.url}`)
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.once('end', () => {
        server.bodies.push(body)
        server.answer(request, response)
      })
    })
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
    return server
  }

  api(options: { readonly clock?: Clock; readonly patienceMs?: number; readonly attemptMs?: number } = {}): KubeApi {
    const { port } = this.#server.address() as AddressInfo
    const server = new URL(`http://127.0.0.1:${port}`)
    const credentials = { server, isInside: false, requestOptions: async () => ({}) }
    this.#transport ??= new KubeTransport(credentials)
    return new KubeApi({ transport: this.#transport, clock: systemClock, ...options })
  }

  /** Breaks every open connection. */
  cut(): void {
    this.#server.closeAllConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#transport?.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}
