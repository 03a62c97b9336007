import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { SignInConfig } from '../../domain/sign-in-config.js'
import {
  deleteSession,
  findSession,
  keepSession,
  touchSession,
  type SessionRecord,
  type SessionSubject,
} from '../state/sessions.js'
import { csrfOf, isSessionSecret, newSessionSecret, seal, sessionIdOf, unseal } from './session-secret.js'

/** How often at most the use of a session is written down. */
const TOUCH_MS = 60_000
const TOKEN_PURPOSE = 'session token'

/** What sessions work with. */
export interface SessionDependencies {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly limits: Pick<SignInConfig, 'idleMinutes' | 'maxHours'>
}

/** Who signs in: a person whom a provider vouches for, or whoever has a token. */
export type SignIn =
  Extract<SessionSubject, { by: 'oidc' }> | { readonly by: 'token'; readonly name: string; readonly token: string }

/** A session that holds. Instants are epoch milliseconds. */
export interface LiveSession {
  readonly subject: SignIn
  readonly csrf: string
  readonly expiresAt: number
}

/** Begins a session; the secret is what the browser keeps. It is valid on every replica at once. */
export async function beginSession(
  deps: SessionDependencies,
  signIn: SignIn,
): Promise<{ readonly secret: string; readonly session: LiveSession }> {
  const secret = newSessionSecret()
  const now = deps.clock.now()
  const expiresAt = now + deps.limits.maxHours * 3_600_000
  const subject: SessionSubject =
    signIn.by === 'oidc'
      ? signIn
      : { by: 'token', name: signIn.name, sealedToken: seal(secret, TOKEN_PURPOSE, signIn.token) }
  const record = { subject, createdAt: now, usedAt: now, expiresAt }
  await keepSession(deps.store, { sessionId: sessionIdOf(secret), record }, (one) => isOver(deps, one))
  return { secret, session: { subject: signIn, csrf: csrfOf(secret), expiresAt } }
}

/** The session of a secret; undefined when it is over, or never was. Counts as use. */
export async function resumeSession(deps: SessionDependencies, secret: string): Promise<LiveSession | undefined> {
  const found = await findLive(deps, secret)
  const now = deps.clock.now()
  if (found !== undefined && now - found.usedAt >= TOUCH_MS) await touchSession(deps.store, sessionIdOf(secret), now)
  return found?.session
}

/** As {@link resumeSession}, but nobody has used it: it does not last longer for that. */
export async function lookAtSession(deps: SessionDependencies, secret: string): Promise<LiveSession | undefined> {
  return (await findLive(deps, secret))?.session
}

async function findLive(
  deps: SessionDependencies,
  secret: string,
): Promise<{ readonly session: LiveSession; readonly usedAt: number } | undefined> {
  if (!isSessionSecret(secret)) return undefined
  const sessionId = sessionIdOf(secret)
  const record = await findSession(deps.store, sessionId)
  if (record === undefined) return undefined
  if (isOver(deps, record)) {
    await deleteSession(deps.store, sessionId)
    return undefined
  }
  const subject = openSubject(record.subject, secret)
  if (subject === undefined) return undefined
  const { usedAt, expiresAt } = record
  return { session: { subject, csrf: csrfOf(secret), expiresAt }, usedAt }
}

/** Ends the session of a secret, on every replica at once. Idempotent. */
export async function endSession({ store }: Pick<SessionDependencies, 'store'>, secret: string): Promise<void> {
  if (isSessionSecret(secret)) await deleteSession(store, sessionIdOf(secret))
}

function isOver({ clock, limits }: SessionDependencies, { usedAt, expiresAt }: SessionRecord): boolean {
  const now = clock.now()
  return now >= expiresAt || now - usedAt >= limits.idleMinutes * 60_000
}

function openSubject(subject: SessionSubject, secret: string): SignIn | undefined {
  if (subject.by === 'oidc') return subject
  const token = unseal(secret, TOKEN_PURPOSE, subject.sealedToken)
  return token === undefined ? undefined : { by: 'token', name: subject.name, token }
}
