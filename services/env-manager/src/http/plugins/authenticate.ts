import { timingSafeEqual } from 'node:crypto'
import { CSRF_HEADER, TenantName, type Permission } from '@tributary/contract'
import { isAppError } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Value } from 'typebox/value'
import { isPermitted, neededRole } from '../../domain/permissions.js'
import { failure } from '../../errors.js'
import { findEnvironment } from '../../operations/state/environments.js'
import type { Caller, CallerRegistry } from '../caller.js'

/**
 * Who may call a route. `open`: anyone. `optional`: anyone, and whoever brings a token or a session is known. `authenticated`: everybody
 * who is known; the handler checks further. A {@link Permission}: what the table in domain/permissions.ts says.
 */
export type RouteAccess = 'open' | 'optional' | 'authenticated' | Permission

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it. Every route says it; the server does not start with one that does not. Not `access`: that is the config center's. */
    readonly callers?: RouteAccess
  }
  interface FastifyRequest {
    /** Who asks; null on open routes. */
    caller: Caller | null
  }
}

/** What authentication works with. */
export interface AuthenticationOptions {
  readonly registry: CallerRegistry
  readonly store: RevisionedStore
  /** Name of the session's cookie. */
  readonly cookieName: string
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Authenticates every request before its body is read. Call it on the root instance before any route is added. */
export function installAuthentication(app: FastifyInstance, options: AuthenticationOptions): void {
  app.decorateRequest('caller', null)
  app.addHook('onRoute', (route) => {
    if (route.config?.callers === undefined) {
      throw new Error(`Route ${String(route.method)} ${route.url} does not say who may call it: set config.callers`)
    }
  })
  app.addHook('onRequest', async (request) => {
    const access = request.routeOptions.config.callers ?? 'read'
    if (request.is404 || access === 'open') return
    if (access === 'optional') {
      request.caller = await identifyIfAny(request, options)
      return
    }
    request.caller = await identify(request, options)
    if (access === 'authenticated') return
    requirePermission(request.caller, access, await subjectOf(request, options.store))
  })
}

/** @throws AppError `ROLE_NOT_ALLOWED` */
export function requirePermission(caller: Caller, permission: Permission, subject: 'feature' | 'shared'): void {
  if (isPermitted(caller.role, permission, subject)) return
  const where =
    subject === 'shared' && isPermitted(caller.role, permission, 'feature') ? ' on what everybody shares' : ''
  const needed = neededRole(permission, subject)
  throw failure(
    'ROLE_NOT_ALLOWED',
    `A ${caller.role} may not ${permission}${where}; that needs the role ${needed}. Nothing was changed`,
    { details: { permission, role: caller.role, neededRole: needed } },
  )
}

/** Whether a tenant is an environment of a feature branch. Everything else is shared, also what nobody knows. */
export async function subjectOfTenant(store: RevisionedStore, tenant: string): Promise<'feature' | 'shared'> {
  const record = await findEnvironment(store, tenant)
  return record?.stage === 'development' ? 'feature' : 'shared'
}

/** Null without a token or a session. A session that is over is none: whoever still has its cookie has to learn how to sign in again. */
async function identifyIfAny(request: FastifyRequest, options: AuthenticationOptions): Promise<Caller | null> {
  if (request.headers.authorization !== undefined) return identify(request, options)
  if (request.cookies[options.cookieName] === undefined) return null
  try {
    return await identify(request, options)
  } catch (error) {
    if (isAppError(error, 'SESSION_OVER')) return null
    throw error
  }
}

async function identify(request: FastifyRequest, { registry, cookieName }: AuthenticationOptions): Promise<Caller> {
  const secret = request.cookies[cookieName]
  // A bearer token is never sent by a browser on its own, so it stands for the caller's will, whatever cookies come along.
  if (request.headers.authorization !== undefined || secret === undefined) {
    return registry.ofToken(bearerToken(request.headers.authorization))
  }
  const caller = await registry.ofSession(secret)
  if (!SAFE_METHODS.has(request.method)) requireCsrf(caller, request.headers[CSRF_HEADER])
  return caller
}

function requireCsrf({ csrf = '' }: Caller, given: string | readonly string[] | undefined): void {
  const [expected, actual] = [Buffer.from(csrf), Buffer.from(typeof given === 'string' ? given : '')]
  if (expected.length > 0 && expected.length === actual.length && timingSafeEqual(expected, actual)) return
  throw failure(
    'CSRF_INVALID',
    `A write by cookie needs the header ${CSRF_HEADER} with the value that GET /v1/session says; nothing was changed`,
  )
}

/** Routes about one environment name it `:name`; one that is not there may be asked for, and is then not found. */
async function subjectOf({ params }: FastifyRequest, store: RevisionedStore): Promise<'feature' | 'shared'> {
  const name: unknown = typeof params === 'object' && params !== null && 'name' in params ? params.name : undefined
  if (!Value.Check(TenantName, name)) return 'shared'
  const record = await findEnvironment(store, name)
  return record === undefined || record.stage === 'development' ? 'feature' : 'shared'
}

function bearerToken(header: string | undefined): string {
  const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? []
  if (token !== undefined) return token
  throw failure('TOKEN_MISSING', 'The request has no token; send "Authorization: Bearer <token>"')
}
