import { createHash } from 'node:crypto'
import type { TokenInfo } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { FastifyInstance } from 'fastify'
import { failure } from '../../errors.js'
import type { CallerAuthentication } from '../../ports/caller-authentication.js'

/** Who may call a route: anyone, every viewer and above, or deployers and admins. Tenant tokens get nothing here. */
export type RouteAccess = 'open' | 'read' | 'write'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it. Every route says it; the server does not start with one that does not. Not `access`: that is the config center's. */
    readonly callers?: RouteAccess
  }
}

/** How long an answer of the config center is believed (docs/adr/0008). */
const REMEMBERED_MS = 10_000
const MAX_REMEMBERED = 1000
const ALLOWED: Readonly<Record<'read' | 'write', ReadonlySet<TokenInfo['role']>>> = {
  read: new Set(['admin', 'deployer', 'viewer']),
  write: new Set(['admin', 'deployer']),
}

interface Remembered {
  readonly info: TokenInfo | undefined
  readonly untilMs: number
}

/** Authenticates every request before its body is read. Call it on the root instance before any route is added. */
export function installAuthentication(
  app: FastifyInstance,
  { callers, clock }: { readonly callers: CallerAuthentication; readonly clock: Clock },
): void {
  const identify = rememberingIdentify(callers, clock)
  app.addHook('onRoute', (route) => {
    if (route.config?.callers === undefined) {
      throw new Error(`Route ${String(route.method)} ${route.url} does not say who may call it: set config.callers`)
    }
  })
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.callers ?? 'read'
    if (request.is404 || access === 'open') return
    const info = await identify(bearerToken(request.headers.authorization))
    if (info === undefined)
      throw failure('TOKEN_INVALID', 'The bearer token is unknown, revoked or expired; get a new one from an admin')
    if (ALLOWED[access].has(info.role)) return
    throw failure(
      'ROLE_NOT_ALLOWED',
      `A ${info.role} token may not do this; use one of role ${[...ALLOWED[access]].join(' or ')}`,
    )
  })
}

/** Tokens are remembered by their hash: a memory dump must not hold them. */
function rememberingIdentify(
  callers: CallerAuthentication,
  clock: Clock,
): (token: string) => Promise<TokenInfo | undefined> {
  const remembered = new Map<string, Remembered>()
  return async (token) => {
    const key = createHash('sha256').update(token).digest('base64')
    const known = remembered.get(key)
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.info
    const info = await callers.identify(token)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(key, { info, untilMs: clock.monotonicMs() + REMEMBERED_MS })
    return info
  }
}

function bearerToken(header: string | undefined): string {
  const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? []
  if (token !== undefined) return token
  throw failure('TOKEN_MISSING', 'The request has no token; send "Authorization: Bearer <token>"')
}
