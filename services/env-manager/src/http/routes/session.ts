import { SessionState, TokenSignIn, type SessionInfo } from '@tributary/contract'
import { permissionsOf } from '../../domain/permissions.js'
import type { SignInConfig } from '../../domain/sign-in-config.js'
import { beginSession, endSession } from '../../operations/sessions/sessions.js'
import type { Caller } from '../caller.js'
import { answers, type SignInDeps, type TypedApp } from '../route-deps.js'
import { OIDC_PATH } from '../sign-in-paths.js'

/** Who asks, what they may do, and signing in and out with a token (docs/adr/0015). */
export function sessionRoutes(app: TypedApp, { signIn }: { readonly signIn: SignInDeps }): void {
  const { config, cookie, registry, sessions } = signIn
  app.get(
    '/v1/session',
    {
      config: { callers: 'optional' },
      schema: {
        summary: 'Who is signed in and what they may do, or how one can sign in',
        response: answers({ 200: SessionState }),
      },
    },
    async ({ caller, cookies }, reply) => {
      void reply.header('cache-control', 'no-store')
      if (caller === null && cookies[cookie.name] !== undefined) cookie.clear(reply)
      return stateOf(caller, config)
    },
  )
  app.post(
    '/v1/session',
    {
      config: { callers: 'open', audit: 'session.sign-in' },
      schema: {
        summary: 'Sign in with a token; the answer sets the session’s cookie',
        body: TokenSignIn,
        response: answers({ 200: SessionState }),
      },
    },
    async (request, reply) => {
      const { token } = request.body
      const { name, role, subject } = await registry.ofToken(token.trim())
      const bearer = { by: 'token', name, tokenId: subject, token: token.trim() } as const
      const { secret, session } = await beginSession(sessions, bearer)
      cookie.set(reply, secret, session.expiresAt)
      const { csrf, expiresAt } = session
      request.caller = { name, role, subject, by: 'token', csrf, expiresAt }
      void reply.header('cache-control', 'no-store')
      return stateOf(request.caller, config)
    },
  )
  app.delete(
    '/v1/session',
    {
      config: { callers: 'authenticated', audit: 'session.sign-out' },
      schema: { summary: 'Sign out; nobody is signed in afterwards', response: answers({ 200: SessionState }) },
    },
    async (request, reply) => {
      await endSession(sessions, request.cookies[cookie.name] ?? '')
      cookie.clear(reply)
      return stateOf(null, config)
    },
  )
}

function stateOf(caller: Caller | null, { oidc, idleMinutes }: SignInConfig): SessionState {
  return {
    session: caller === null ? null : infoOf(caller, idleMinutes),
    signIn: { token: true, oidc: oidc === null ? null : { label: oidc.label, path: OIDC_PATH } },
  }
}

function infoOf({ name, role, by, csrf, expiresAt }: Caller, idleMinutes: number): SessionInfo {
  return {
    name,
    role,
    by,
    csrf: csrf ?? null,
    expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
    idleSeconds: by === 'bearer' ? null : idleMinutes * 60,
    permissions: permissionsOf(role),
  }
}
