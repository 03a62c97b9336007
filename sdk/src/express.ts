import type { IncomingMessage, ServerResponse } from 'node:http'
import { enterRequest } from './context/enter-request.js'
import type { Tributary } from './tributary.js'

/** Middleware of express, connect and whatever has their signature. */
export type ConnectMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Express middleware that runs what comes after it in the routing context of the request: `app.use(tributaryContext(client))`, before
 * body parsers and routers.
 */
export function tributaryContext(client: Tributary): ConnectMiddleware {
  return (request, response, next) =>
    enterRequest(client.routing, { request, response }, () => {
      if (!client.answerProbe(request, response)) next()
    })
}
