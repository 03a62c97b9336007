import { isAppError, type Clock } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import type { RoleMapping } from '../../domain/sign-in-config.js'
import type { IdentityProvider } from '../../ports/identity-provider.js'
import { deleteSession, renewSubject, type PersonSubject } from '../state/sessions.js'
import { personOf, type PersonSignIn } from './person-of.js'
import { seal, sessionIdOf, unseal } from './session-secret.js'

const REFRESH_PURPOSE = 'refresh token'
/** A provider that did not answer is left alone for so long, so that requests do not wait for it one by one. */
const AWAY_MS = 10_000
/** While the provider does not answer, a role holds for so many times as long as it otherwise does. */
const AWAY_FACTOR = 2

/** What roles are asked for with. */
export interface RoleRecheckDependencies {
  readonly store: RevisionedStore
  readonly clock: Clock
  readonly provider: IdentityProvider
  readonly roles: RoleMapping
  /** How long a role holds before the provider is asked again. */
  readonly roleMinutes: number
}

/** A person as a session keeps them, whose role holds from now on. The refresh token can be opened with the session's secret only. */
export function keptPerson(person: PersonSignIn, secret: string, now: number): PersonSubject {
  const { refreshToken, ...subject } = person
  const sealed = refreshToken === undefined ? {} : { sealedRefreshToken: seal(secret, REFRESH_PURPOSE, refreshToken) }
  return { ...subject, roleCheckedAt: now, ...sealed }
}

/**
 * Keeps the roles of signed-in people no older than `roleMinutes`, by asking the provider when a session is used.
 *
 * | the provider | the session |
 * | --- | --- |
 * | vouches, with a role | goes on with the role (and name) that it says now |
 * | does not vouch any more, or gives no role | ends |
 * | does not answer | goes on with the old role for as long again; then `OIDC_PROVIDER_UNREACHABLE` until it does |
 * | gave no refresh token | ends: it was made for no longer than a role holds |
 */
export class RoleRechecks {
  readonly #deps: RoleRecheckDependencies
  /** By session: a refresh token is good for one use at many providers, so requests that come together share the answer. */
  readonly #underWay = new Map<string, Promise<PersonSubject | undefined>>()
  #away: { readonly untilMs: number; readonly error: unknown } | undefined

  constructor(deps: RoleRecheckDependencies) {
    this.#deps = deps
  }

  /** The person with a role that holds; undefined when the session is over. @throws AppError `OIDC_PROVIDER_UNREACHABLE` */
  async current(secret: string, kept: PersonSubject): Promise<PersonSubject | undefined> {
    const { clock, roleMinutes } = this.#deps
    const [ageMs, holdsMs] = [clock.now() - kept.roleCheckedAt, roleMinutes * 60_000]
    if (ageMs < holdsMs) return kept
    try {
      return await this.#recheckOnce(secret, kept)
    } catch (error) {
      if (!isAppError(error)) throw error
      if (!error.retryable) return this.#end(secret)
      if (ageMs < holdsMs * AWAY_FACTOR) return kept
      throw error
    }
  }

  #recheckOnce(secret: string, kept: PersonSubject): Promise<PersonSubject | undefined> {
    const sessionId = sessionIdOf(secret)
    const underWay = this.#underWay.get(sessionId)
    if (underWay !== undefined) return underWay
    const recheck = this.#recheck(secret, kept).finally(() => this.#underWay.delete(sessionId))
    this.#underWay.set(sessionId, recheck)
    return recheck
  }

  async #recheck(secret: string, kept: PersonSubject): Promise<PersonSubject | undefined> {
    const { store, clock, roles } = this.#deps
    const sealed = kept.sealedRefreshToken
    const refreshToken = sealed === undefined ? undefined : unseal(secret, REFRESH_PURPOSE, sealed)
    if (refreshToken === undefined) return this.#end(secret)
    const vouched = await this.#ask(refreshToken, kept.subject)
    const person = personOf(roles, { refreshToken, ...vouched })
    const renewed = keptPerson(person, secret, clock.now())
    return (await renewSubject(store, sessionIdOf(secret), renewed)) ? renewed : undefined
  }

  async #ask(refreshToken: string, subject: string): ReturnType<IdentityProvider['refresh']> {
    const { clock, provider } = this.#deps
    if (this.#away !== undefined && clock.monotonicMs() < this.#away.untilMs) throw this.#away.error
    try {
      return await provider.refresh(refreshToken, subject)
    } catch (error) {
      if (isAppError(error) && error.retryable) this.#away = { untilMs: clock.monotonicMs() + AWAY_MS, error }
      throw error
    }
  }

  async #end(secret: string): Promise<undefined> {
    await deleteSession(this.#deps.store, sessionIdOf(secret))
  }
}
