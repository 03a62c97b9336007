import type { IncomingMessage, ServerResponse } from 'node:http'
import { enterRequest } from './context/enter-request.js'
import type { Tributary } from './tributary.js'

/** What the middleware reads of koa's context. */
export interface KoaExchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** False: koa leaves the response alone. */
  respond?: boolean | undefined
}

/** Koa middleware that runs what comes after it in the routing context of the request: `app.use(tributaryContext(client))`, first. */
export function tributaryContext(
  client: Tributary,
): <T>(exchange: KoaExchange, next: () => Promise<T>) => Promise<T | undefined> {
  return (exchange, next) =>
    enterRequest(client.routing, { request: exchange.req, response: exchange.res }, async () => {
      if (!client.answerProbe(exchange.req, exchange.res)) return next()
      exchange.respond = false
      return undefined
    })
}
