import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { ProbeResponse } from '../probe/probe-responder.js'
import type { Tributary } from '../tributary.js'
import { enterStream } from './enter-request.js'

/** A listener of the event `stream` of a node:http2 server. */
export type Http2StreamListener = (
  ...event: [stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]]
) => unknown

/**
 * Wraps a listener of `stream`, so that each stream is handled in the routing context of its request:
 * `server.on('stream', withStreamContext(client, listener))`. A server with a request listener takes `withRoutingContext` instead.
 */
export function withStreamContext(client: Tributary, listener: Http2StreamListener): Http2StreamListener {
  return (...event) => {
    const [stream, headers] = event
    const request = { headers, method: headers[':method'], url: headers[':path'] }
    enterStream(client.routing, { stream, request }, () => {
      if (!client.answerProbe(request, responseOf(stream))) listener(...event)
    })
  }
}

function responseOf(stream: ServerHttp2Stream): ProbeResponse {
  return {
    writeHead: (status, headers) => stream.respond({ ':status': status, ...headers }),
    end: (body) => stream.end(body),
  }
}
