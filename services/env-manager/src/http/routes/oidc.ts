import { Type } from 'typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isAppError } from '@tributary/kit'
import { CONSOLE_PATH } from '../../domain/return-to.js'
import {
  beginOidcSignIn,
  finishOidcSignIn,
  SIGN_IN_MS,
  type OidcDependencies,
} from '../../operations/sessions/oidc-sign-in.js'
import { beginSession } from '../../operations/sessions/sessions.js'
import { strictObject, type SignInDeps, type TypedApp } from '../route-deps.js'
import { OIDC_CALLBACK_PATH, OIDC_PATH } from '../sign-in-paths.js'

/** Signing in at a provider: there, and back again (docs/adr/0015). What goes wrong is told by the console, to a person. */
export function oidcRoutes(
  app: TypedApp,
  { signIn, oidc }: { readonly signIn: SignInDeps; readonly oidc: OidcDependencies },
): void {
  const { pendingCookie, cookie } = signIn
  app.get(
    OIDC_PATH,
    {
      config: { callers: 'open' },
      schema: {
        summary: 'Begin to sign in at the provider: leads a browser there',
        querystring: strictObject({ returnTo: Type.Optional(Type.String({ maxLength: 2000 })) }),
      },
    },
    (request, reply) =>
      leadOn(request, reply, async () => {
        const { url, pending } = await beginOidcSignIn(oidc, request.query.returnTo)
        pendingCookie.set(reply, pending, oidc.clock.now() + SIGN_IN_MS)
        return url.href
      }),
  )
  app.get(
    OIDC_CALLBACK_PATH,
    {
      config: { callers: 'open', audit: 'session.sign-in' },
      // Requests are logged with their query, and this one holds the provider's code.
      logLevel: 'warn',
      schema: { summary: 'Where the provider sends a browser back to: sets the session’s cookie', hide: true },
    },
    (request, reply) =>
      leadOn(request, reply, async () => {
        const pending = request.cookies[pendingCookie.name]
        pendingCookie.clear(reply)
        const query = new URL(request.url, 'http://here').searchParams
        const done = await finishOidcSignIn(oidc, { query, pending })
        const { secret, session } = await beginSession(oidc, done.signIn, oidc.roleMinutes)
        cookie.set(reply, secret, session.expiresAt)
        const { name, role, subject } = done.signIn
        request.caller = { name, role, subject, by: 'oidc', csrf: session.csrf, expiresAt: session.expiresAt }
        return done.returnTo
      }),
  )
}

/** A browser that follows links is led to where a person can read what went wrong. */
async function leadOn(
  request: FastifyRequest,
  reply: FastifyReply,
  find: () => Promise<string>,
): Promise<FastifyReply> {
  void reply.header('cache-control', 'no-store')
  try {
    return reply.redirect(await find())
  } catch (error) {
    if (!isAppError(error)) throw error
    request.log.warn({ err: error }, 'signing in failed')
    return reply.redirect(`${CONSOLE_PATH}?signInError=${error.code}`)
  }
}
