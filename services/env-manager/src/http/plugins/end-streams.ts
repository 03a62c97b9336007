import { isAppError } from '@tributary/kit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Caller, CallerRegistry } from '../caller.js'

/** What ends streams of those who may not read any more. */
export interface StreamEndOptions {
  readonly registry: CallerRegistry
  /** Name of the session's cookie. */
  readonly cookieName: string
  /** How often it is asked, milliseconds. Default 30,000. */
  readonly everyMs?: number | undefined
}

const EVERY_MS = 30_000

/**
 * Cuts answers that are still under way when the session or token that they were asked with is over: who signs out, or is locked out, sees nothing
 * more. Call it after authentication is installed and before any route is added.
 */
export function installStreamEnds(app: FastifyInstance, options: StreamEndOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    const { caller } = request
    if (caller !== null && request.method === 'GET') watchRights({ request, reply, caller }, options)
  })
}

function watchRights(
  { request, reply: { raw }, caller }: Exchange,
  { registry, cookieName, everyMs = EVERY_MS }: StreamEndOptions,
): void {
  const secret = request.cookies[cookieName] ?? ''
  const look = (): Promise<Caller> =>
    caller.by === 'bearer' ? registry.ofToken(caller.token ?? '') : registry.recheckSession(secret)
  const timer = setInterval(() => {
    look().catch((error: unknown) => {
      // That nobody can tell now is no reason to cut what somebody watches.
      if (isAppError(error) && (error.kind === 'unauthenticated' || error.kind === 'permission_denied')) raw.destroy()
    })
  }, everyMs)
  timer.unref()
  for (const end of ['close', 'finish'] as const) raw.once(end, () => clearInterval(timer))
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly caller: Caller
}
