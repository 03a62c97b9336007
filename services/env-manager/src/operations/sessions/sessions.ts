import type { Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { SignInConfig } from '../../domain/sign-in-config.js'
import {
  deleteSession,
  findSession,
  keepSession,
  touchSession,
  type PersonSubject,
  type SessionRecord,
  type SessionSubject,
} from '../state/sessions.js'
import type { PersonSignIn } from './person-of.js'
import { keptPerson, type RoleRechecks } from './role-rechecks.js'
import { csrfOf, isSessionSecret, newSessionSecret, seal, sessionIdOf, unseal } from './session-secret.js'

/** How often at most the use of a session is written down. */
const TOUCH_MS = 60_000
const TOKEN_PURPOSE = 'session token'

/** What sessions work with. */
export interface SessionDependencies {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly limits: Pick<SignInConfig, 'idleMinutes' | 'maxHours'>
  /** Keeps the roles of people up to date; absent: nobody signs in at a provider. */
  readonly rechecks?: RoleRechecks | undefined
}

/** Somebody who has a token of the config center. */
export interface TokenBearer {
  readonly by: 'token'
  readonly name: string
  readonly tokenId: string
  readonly token: string
}

/** Who signs in: a person whom a provider vouches for, or whoever has a token. */
export type SignIn = PersonSignIn | TokenBearer

/** A session that holds. Instants are epoch milliseconds. */
export interface LiveSession {
  readonly subject: PersonSubject | TokenBearer
  readonly csrf: string
  readonly expiresAt: number
}

/**
 * Begins a session; the secret is what the browser keeps. It is valid on every replica at once.
 * @param roleMinutes how long the role of a person holds: for whom the provider cannot be asked again the session lasts no longer.
 */
export async function beginSession(
  deps: SessionDependencies,
  signIn: SignIn,
  roleMinutes = Infinity,
): Promise<{ readonly secret: string; readonly session: LiveSession }> {
  const secret = newSessionSecret()
  const now = deps.clock.now()
  const asksAgain = signIn.by === 'token' || signIn.refreshToken !== undefined
  const lastsMs = Math.min(deps.limits.maxHours * 3_600_000, asksAgain ? Infinity : roleMinutes * 60_000)
  const expiresAt = now + lastsMs
  const kept = keptSubject(signIn, secret, now)
  const record = { subject: kept, createdAt: now, usedAt: now, expiresAt }
  await keepSession(deps.store, { sessionId: sessionIdOf(secret), record }, (one) => isOver(deps, one))
  const subject = kept.by === 'oidc' ? kept : openToken(kept, secret)
  if (subject === undefined) throw new TypeError('what was sealed a moment ago can be opened')
  return { secret, session: { subject, csrf: csrfOf(secret), expiresAt } }
}

/**
 * The session of a secret; undefined when it is over, or never was. Counts as use.
 * @throws AppError `OIDC_PROVIDER_UNREACHABLE` when a person's role is too old and cannot be asked for
 */
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
  const subject = await currentSubject(deps, secret, record.subject)
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

function keptSubject(signIn: SignIn, secret: string, now: number): SessionSubject {
  if (signIn.by === 'oidc') return keptPerson(signIn, secret, now)
  const { token, ...subject } = signIn
  return { ...subject, sealedToken: seal(secret, TOKEN_PURPOSE, token) }
}

/** Without a provider in the configuration nobody can say any more which role a person has. */
async function currentSubject(
  { rechecks }: SessionDependencies,
  secret: string,
  subject: SessionSubject,
): Promise<LiveSession['subject'] | undefined> {
  return subject.by === 'oidc' ? rechecks?.current(secret, subject) : openToken(subject, secret)
}

function openToken(
  { sealedToken, ...subject }: Extract<SessionSubject, { by: 'token' }>,
  secret: string,
): TokenBearer | undefined {
  const token = unseal(secret, TOKEN_PURPOSE, sealedToken)
  return token === undefined ? undefined : { ...subject, token }
}
