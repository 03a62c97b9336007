import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Tributary } from '../tributary.js'
import { enterRequest } from './enter-request.js'

/** A request listener of node:http, node:https or node:http2 (its compatibility API). */
export type HttpListener<Request, Response> = (request: Request, response: Response) => unknown

/**
 * Wraps a request listener, so that each request is handled in its routing context:
 * `createServer(withRoutingContext(client, listener))`.
 */
export function withRoutingContext<
  Request extends IncomingMessage | Http2ServerRequest,
  Response extends ServerResponse | Http2ServerResponse,
>(client: Tributary, listener: HttpListener<Request, Response>): (request: Request, response: Response) => void {
  return (request, response) => {
    enterRequest(client.routing, { request, response }, () => {
      if (!client.answerProbe(request, response)) listener(request, response)
    })
  }
}
