import { createHash } from 'node:crypto'
import type { PersonRole, TokenInfo } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import { roleOfToken } from '../domain/permissions.js'
import { failure } from '../errors.js'
import {
  endSession,
  lookAtSession,
  resumeSession,
  type LiveSession,
  type SessionDependencies,
} from '../operations/sessions/sessions.js'
import type { CallerAuthentication } from '../ports/caller-authentication.js'

/** Who asks. */
export interface Caller {
  readonly name: string
  readonly role: PersonRole
  /** Which person (the provider's `sub`) or token (its id): names may be equal, these are not. */
  readonly subject: string
  readonly by: 'bearer' | 'token' | 'oidc'
  /** The caller's own token of the config center; undefined for a person whom a provider vouches for. */
  readonly token?: string
  /** What writes by cookie have to carry; undefined for a bearer token. */
  readonly csrf?: string
  /** Epoch milliseconds; undefined: as long as the token. */
  readonly expiresAt?: number
}

/** How long an answer of the config center is believed (docs/adr/0008). */
const REMEMBERED_MS = 10_000
const MAX_REMEMBERED = 1000
const TOKEN_TEXT = /^[\x21-\x7e]+$/

/** Finds out who bears a token or a session's secret. */
export class CallerRegistry {
  readonly #remembered = new Map<string, { readonly info: TokenInfo | undefined; readonly untilMs: number }>()

  constructor(
    private readonly callers: CallerAuthentication,
    private readonly sessions: SessionDependencies,
  ) {}

  /** @throws AppError `TOKEN_INVALID`, `ROLE_NOT_ALLOWED` for a service's own token, `CONFIG_CENTER_UNREACHABLE` */
  async ofToken(token: string): Promise<Caller> {
    return { ...(await this.#personOf(token)), by: 'bearer', token }
  }

  /** @throws AppError `SESSION_OVER`, `CONFIG_CENTER_UNREACHABLE`, `OIDC_PROVIDER_UNREACHABLE` */
  async ofSession(secret: string): Promise<Caller> {
    return this.#ofLive(secret, await resumeSession(this.sessions, secret))
  }

  /** Whose session it still is, without using it. Throws as {@link ofSession}. */
  async recheckSession(secret: string): Promise<Caller> {
    return this.#ofLive(secret, await lookAtSession(this.sessions, secret))
  }

  async #ofLive(secret: string, session: LiveSession | undefined): Promise<Caller> {
    if (session === undefined) {
      throw sessionOver(
        'it is too old or was not used for long, somebody signed out, or the provider gives no role any more',
      )
    }
    const { csrf, expiresAt, subject: holder } = session
    if (holder.by === 'token') return { ...(await this.#ofTokenSession(secret, session)), by: 'token', csrf, expiresAt }
    const { name, role, subject } = holder
    return { name, role, subject, by: 'oidc', csrf, expiresAt }
  }

  /** A session lives no longer than its token does. */
  async #ofTokenSession(
    secret: string,
    { subject }: LiveSession,
  ): Promise<Pick<Caller, 'name' | 'role' | 'subject' | 'token'>> {
    const token = subject.by === 'token' ? subject.token : ''
    const info = await this.#identify(token)
    const role = info === undefined ? undefined : roleOfToken(info.role)
    if (info !== undefined && role !== undefined) return { name: info.name, role, subject: info.tokenId, token }
    await endSession(this.sessions, secret)
    throw sessionOver('the token that it was made with is revoked or expired')
  }

  async #personOf(token: string): Promise<Pick<Caller, 'name' | 'role' | 'subject'>> {
    // What no header can hold is no token, and must not look like an outage.
    const info = TOKEN_TEXT.test(token) ? await this.#identify(token) : undefined
    if (info === undefined)
      throw failure('TOKEN_INVALID', 'The bearer token is unknown, revoked or expired; get a new one from an admin')
    const role = roleOfToken(info.role)
    if (role !== undefined) return { name: info.name, role, subject: info.tokenId }
    throw failure(
      'ROLE_NOT_ALLOWED',
      `A ${info.role} token may do nothing here; use one of role viewer, deployer or admin`,
    )
  }

  /** Tokens are remembered by their hash: a memory dump must not hold them. */
  async #identify(token: string): Promise<TokenInfo | undefined> {
    const clock: Clock = this.sessions.clock
    const key = createHash('sha256').update(token).digest('base64')
    const known = this.#remembered.get(key)
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.info
    const info = await this.callers.identify(token)
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(key, { info, untilMs: clock.monotonicMs() + REMEMBERED_MS })
    return info
  }
}

function sessionOver(why: string): Error {
  return failure('SESSION_OVER', `The session has ended: ${why}; sign in again`)
}
