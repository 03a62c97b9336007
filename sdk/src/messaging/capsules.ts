import { signContext, verifyContext, type ContextKeys } from '@tributary/contract/context-token'
import type { Clock } from '@tributary/kit'
import { NO_CONTEXT, runWithContext, type RoutingContext } from '../context/routing-context.js'
import type { Routing } from '../context/routing.js'
import { sdkError } from '../errors.js'
import type { ConsumerRule } from './consumer-rule.js'

/** How long a capsule or a callback URL is good. */
export interface LifetimeOptions {
  /** Default 86,400: one day. At most ten years. */
  readonly expiresInSeconds?: number
}

/**
 * What became of captured work.
 *
 * | state | meaning | what to do |
 * | --- | --- | --- |
 * | `live` | its tenant is there, or it never had one | `run` it |
 * | `gone` | its tenant is not in the route table any more | drop it or park it; never run it as the baseline's by accident |
 * | `expired` | it is older than it was meant to get | as above |
 * | `forged` | nobody with a key wrote it: changed, cut, foreign, or its key was rotated away | do not trust the row |
 * | `unknown` | no route table is held yet, so nobody can tell | try again later |
 */
export type RestoredContext =
  | {
      readonly state: 'live'
      /** Undefined: it was captured outside of any feature environment. */
      readonly tenant: string | undefined
      /** Calls `work` in the captured context. */
      readonly run: <T>(work: () => T) => T
    }
  | { readonly state: 'gone' | 'expired' | 'unknown'; readonly tenant: string | undefined; readonly reason: string }
  | { readonly state: 'forged'; readonly reason: string }

const DAY_SECONDS = 86_400
const MAX_SECONDS = 10 * 365 * DAY_SECONDS

/** Parts of a client that signed contexts need. */
export interface SigningParts {
  readonly keys: ContextKeys | undefined
  readonly routing: Routing
  readonly rule: ConsumerRule
  readonly clock: Clock
}

/** Makes and reads capsules: the routing context as a signed text that outlives the process. */
export class Capsules {
  readonly #parts: SigningParts

  constructor(parts: SigningParts) {
    this.#parts = parts
  }

  /** @throws AppError `SDK_CONTEXT_KEY_MISSING`, `SDK_OPTIONS_INVALID` for a lifetime that is none */
  capture(options: LifetimeOptions = {}): string {
    const { routing, clock } = this.#parts
    const keys = requireKeys(this.#parts, 'capture the routing context')
    const tenant = routing.contextOfCall().tenant ?? null
    return signContext(keys, { tenant, avoidsBaseline: false, ...lifetime(clock, options) }, { purpose: 'capsule' })
  }

  /** @throws AppError `SDK_CONTEXT_KEY_MISSING`; whatever is wrong with the capsule itself is an answer */
  restore(capsule: string): RestoredContext {
    const { rule, clock } = this.#parts
    const keys = requireKeys(this.#parts, 'restore a routing context')
    const verdict = verifyContext(keys, capsule, { purpose: 'capsule', nowMs: clock.now() })
    if (verdict.state === 'forged') return { state: 'forged', reason: `the capsule is not genuine: ${verdict.reason}` }
    const { expiresAt } = verdict.claims
    const tenant = verdict.claims.tenant ?? undefined
    if (verdict.state === 'expired') {
      return { state: 'expired', tenant, reason: `the capsule ended at ${new Date(expiresAt * 1000).toISOString()}` }
    }
    if (tenant === undefined) return { state: 'live', tenant, run: (work) => runWithContext(NO_CONTEXT, work) }
    if (!rule.isReady) return { state: 'unknown', tenant, reason: 'no route table is held yet; try again' }
    if (!rule.hasTenant(tenant)) return { state: 'gone', tenant, reason: `the environment ${tenant} is gone` }
    const context: RoutingContext = Object.freeze({ ...NO_CONTEXT, tenant, origin: 'request' })
    return { state: 'live', tenant, run: (work) => runWithContext(context, work) }
  }
}

/** @throws AppError `SDK_CONTEXT_KEY_MISSING` */
export function requireKeys({ keys }: Pick<SigningParts, 'keys'>, attempt: string): ContextKeys {
  if (keys !== undefined) return keys
  const advice = 'the env-manager sets TRIBUTARY_CONTEXT_KEY; elsewhere set it, or contextKey of connect()'
  throw sdkError('SDK_CONTEXT_KEY_MISSING', `cannot ${attempt}: there is no key to sign with; ${advice}`)
}

/**
 * When a token begins and ends, in epoch seconds.
 * @throws AppError `SDK_OPTIONS_INVALID`
 */
export function lifetime(clock: Clock, options: LifetimeOptions): { issuedAt: number; expiresAt: number } {
  const seconds = options.expiresInSeconds ?? DAY_SECONDS
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > MAX_SECONDS) {
    throw sdkError('SDK_OPTIONS_INVALID', `expiresInSeconds is ${seconds}, not a whole number from 1 to ${MAX_SECONDS}`)
  }
  const issuedAt = Math.floor(clock.now() / 1000)
  return { issuedAt, expiresAt: issuedAt + seconds }
}
