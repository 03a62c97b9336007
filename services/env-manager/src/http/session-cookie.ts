import type { FastifyReply } from 'fastify'
import type { SignInConfig } from '../domain/sign-in-config.js'

/** How a cookie of this host is called and set. */
export interface SessionCookie {
  readonly name: string
  set(reply: FastifyReply, secret: string, expiresAt: number): void
  clear(reply: FastifyReply): void
}

/** The session's cookie. */
export function sessionCookie(config: Pick<SignInConfig, 'publicUrl'>): SessionCookie {
  return hostCookie('tributary-session', config)
}

/** The cookie of a sign-in that is under way at a provider. */
export function pendingSignInCookie(config: Pick<SignInConfig, 'publicUrl'>): SessionCookie {
  return hostCookie('tributary-sign-in', config)
}

/**
 * `__Host-` binds a cookie to its host and to TLS, so that no neighbour can plant one; browsers take the prefix over https only.
 * `Lax` keeps it out of requests that other sites make, but for links that are followed.
 */
function hostCookie(plainName: string, { publicUrl }: Pick<SignInConfig, 'publicUrl'>): SessionCookie {
  const secure = publicUrl?.startsWith('https:') ?? false
  const name = secure ? `__Host-${plainName}` : plainName
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  return {
    name,
    set: (reply, secret, expiresAt) =>
      void reply.setCookie(name, secret, { ...attributes, expires: new Date(expiresAt) }),
    clear: (reply) => void reply.clearCookie(name, attributes),
  }
}
