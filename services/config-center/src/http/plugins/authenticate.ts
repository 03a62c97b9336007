import { MAX_ON_BEHALF_OF_LENGTH, ON_BEHALF_OF_HEADER, parseOnBehalfOf } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { may, type Action, type Principal } from '../../domain/access.js'
import { failure } from '../../errors.js'
import { readCatalog } from '../../operations/operation-context.js'
import type { LiveCatalog } from '../../ports/live-catalog.js'
import type { TokenRegistry } from '../../tokens/token-registry.js'
import type { WorkloadTokens } from '../../tokens/workload-tokens.js'

/**
 * Who may call a route. `open`: anyone, without a token. `authenticated`: every token; the handler checks further by
 * {@link requireMay}. An {@link Action}: what the table in domain/access.ts says, for the tenant in the path if there is one.
 */
export type RouteAccess = 'open' | 'authenticated' | Action

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says it; the server does not start with one that does not. */
    readonly access?: RouteAccess
  }
  interface FastifyRequest {
    /** Who asks; nobody, who may do nothing, on `open` routes. */
    readonly principal: Principal
    /** What authentication found; read {@link principal} instead. */
    authenticated: Principal | null
  }
}

/** What the plugin asks. */
export interface AuthenticateOptions {
  readonly tokens: TokenRegistry
  /** Default: workloads have no identity of their own. */
  readonly workloads?: WorkloadTokens | undefined
  readonly live: LiveCatalog
  readonly clock: Clock
}

const NOBODY: Principal = Object.freeze({ tokenId: '', name: 'nobody', role: 'tenant' })

/**
 * Authenticates every request and checks its route's `config.access` before the body is read. Call it on the root instance
 * before any route is added: a route without `config.access` is refused at start, so none can be left open by mistake.
 */
export function installAuthentication(app: FastifyInstance, options: AuthenticateOptions): void {
  app.decorateRequest('authenticated', null)
  app.decorateRequest('principal', {
    getter(this: FastifyRequest) {
      return this.authenticated ?? NOBODY
    },
  })
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`Route ${String(route.method)} ${route.url} does not say who may call it: set config.access`)
    }
  })
  app.addHook('onRequest', async (request) => {
    if (request.is404) return
    const access = request.routeOptions.config.access ?? 'authenticated'
    if (access === 'open') return
    const principal = withPerson(await authenticate(request, options), request)
    request.authenticated = principal
    if (access !== 'authenticated') requireMay(principal, access, tenantOfPath(request))
  })
}

/** @throws AppError `PERMISSION_DENIED` when `principal` may not do `action` (on `tenant`). */
export function requireMay(principal: Principal, action: Action, tenant?: string): void {
  if (may(principal, action, tenant)) return
  const subject = tenant === undefined ? '' : ` on tenant ${tenant}`
  const whose = principal.tenant === undefined ? principal.role : `tenant ${principal.tenant}`
  throw failure('PERMISSION_DENIED', `A ${whose} token may not ${action}${subject}; use a token of another role.`, {
    details: { action, role: principal.role, ...(tenant === undefined ? {} : { tenant }) },
  })
}

/**
 * The principal with the person for whom it acts, when the request names one.
 * @throws AppError `PERMISSION_DENIED`, `INVALID_REQUEST`
 */
function withPerson(principal: Principal, { headers }: FastifyRequest): Principal {
  const value = headers[ON_BEHALF_OF_HEADER]
  if (value === undefined) return principal
  requireMay(principal, 'act-on-behalf-of')
  const onBehalfOf = typeof value === 'string' ? parseOnBehalfOf(value) : undefined
  if (onBehalfOf !== undefined) return { ...principal, onBehalfOf }
  const rule = `must be a printable name of 1 to ${MAX_ON_BEHALF_OF_LENGTH} characters, percent-encoded UTF-8`
  throw failure(
    'INVALID_REQUEST',
    `The request was refused, nothing is stored: the header ${ON_BEHALF_OF_HEADER} ${rule}.`,
    {
      details: { in: 'headers', violations: [{ field: `/${ON_BEHALF_OF_HEADER}`, type: 'string', rule }] },
    },
  )
}

async function authenticate(request: FastifyRequest, options: AuthenticateOptions): Promise<Principal> {
  const token = bearerToken(request.headers.authorization)
  if (options.workloads?.recognizes(token) === true) return options.workloads.authenticate(token)
  const known = options.tokens.authenticate(token, options.clock.now())
  if (known !== undefined) return known
  // Another replica may have made the token a moment ago; only the store's own revision can tell.
  await readCatalog(options)
  const confirmed = options.tokens.authenticate(token, options.clock.now())
  if (confirmed !== undefined) return confirmed
  throw failure('UNAUTHENTICATED', 'The bearer token is unknown, revoked or expired; get a new one from an admin.')
}

function bearerToken(header: string | undefined): string {
  const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? []
  if (token !== undefined) return token
  throw failure('UNAUTHENTICATED', 'The request has no token; send "Authorization: Bearer <token>".')
}

function tenantOfPath(request: FastifyRequest): string | undefined {
  const { params } = request
  if (typeof params !== 'object' || params === null || !('tenant' in params)) return undefined
  return typeof params.tenant === 'string' ? params.tenant : undefined
}
