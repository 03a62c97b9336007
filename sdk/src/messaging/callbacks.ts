import type { CallbackTarget } from '@tributary/contract'
import { CALLBACK_SEGMENT, canonicalCallbackPath, parseCallbackTarget } from '@tributary/contract/light'
import { signContext, verifyContext, type ContextVerdict } from '@tributary/contract/context-token'
import { sdkError } from '../errors.js'
import type { Resolver } from '../resolve/resolver.js'
import { lifetime, requireKeys, type LifetimeOptions, type SigningParts } from './capsules.js'

/**
 * A request, judged as a callback.
 *
 * | state | meaning | status to answer |
 * | --- | --- | --- |
 * | `none` | its path is not one of {@link Tributary.callbackUrl}: an ordinary request | |
 * | `here` | this process answers `path`, in the context of `tenant` | |
 * | `elsewhere` | another copy of the service answers; `url` is its address, for the request as it came | |
 * | `gone` | the environment that made the URL, or its own copy of the service, is gone | 410 |
 * | `expired` | the URL is older than it was meant to get | 410 |
 * | `forged` | the URL was changed or made up | 403 |
 * | `unknown` | no route table is held yet: nobody can tell | 503 |
 */
export type ReceivedCallback =
  | { readonly state: 'none' }
  | { readonly state: 'here'; readonly tenant: string | undefined; readonly path: string }
  | { readonly state: 'elsewhere'; readonly tenant: string | undefined; readonly url: string }
  | { readonly state: 'gone' | 'expired' | 'forged' | 'unknown'; readonly reason: string }

/** Parts of a client that callbacks need. */
export interface CallbackParts extends SigningParts {
  readonly ownTenant: string
  readonly service: string | undefined
  readonly publicUrl: string | undefined
  readonly resolver: Resolver
}

/** Makes callback URLs and judges the requests that come back. */
export class Callbacks {
  readonly #parts: CallbackParts

  constructor(parts: CallbackParts) {
    this.#parts = parts
  }

  /** @throws AppError as `Tributary.callbackUrl` says */
  urlFor(service: string, path: string, options: LifetimeOptions = {}): string {
    const { routing, rule, resolver, clock, publicUrl } = this.#parts
    const attempt = `cannot make a callback URL of ${service}`
    const keys = requireKeys(this.#parts, `make a callback URL of ${service}`)
    if (publicUrl === undefined) {
      const advice = 'the env-manager sets TRIBUTARY_PUBLIC_URL; elsewhere set it, or publicUrl of connect()'
      throw sdkError('SDK_PUBLIC_URL_MISSING', `${attempt}: the public address of the system is not known; ${advice}`)
    }
    if (!rule.isReady) throw sdkError('SDK_NOT_READY', `${attempt}: no route table is held yet`)
    const tenant = routing.contextOfCall().tenant
    const resolution = resolver.resolve(service, { tenant: tenant ?? rule.baseline ?? this.#parts.ownTenant })
    if (resolution.state === 'masked') throw sdkError('SERVICE_MASKED', `${attempt}: ${resolution.reason}`)
    const [, pathname = '', query = ''] = /^([^?#]*)(\?[^#]*)?/s.exec(path.startsWith('/') ? path : `/${path}`) ?? []
    const claims = { tenant: tenant ?? null, avoidsBaseline: ![null, rule.baseline].includes(resolution.owner) }
    const token = signContext(keys, { ...claims, ...lifetime(clock, options) }, scopeOf(service, pathname))
    return `${publicBase(publicUrl, service)}/${CALLBACK_SEGMENT}/${token}${pathname}${query}`
  }

  /** @throws AppError `SDK_CONTEXT_KEY_MISSING`, `SDK_OPTIONS_INVALID` for a client without a service: for callbacks only */
  receive(target: string): ReceivedCallback {
    const callback = parseCallbackTarget(target)
    if (callback === undefined) return { state: 'none' }
    const { service, clock } = this.#parts
    const keys = requireKeys(this.#parts, 'take a callback')
    if (service === undefined) {
      throw sdkError('SDK_OPTIONS_INVALID', 'cannot take a callback: this client has no service; set TRIBUTARY_SERVICE')
    }
    const scope = { ...scopeOf(service, callback.path), nowMs: clock.now() }
    return this.#judge(service, callback, verifyContext(keys, callback.token, scope))
  }

  #judge(service: string, callback: CallbackTarget, verdict: ContextVerdict): ReceivedCallback {
    if (verdict.state === 'forged') {
      return { state: 'forged', reason: `this callback URL of ${service} is not genuine: ${verdict.reason}` }
    }
    const { avoidsBaseline, expiresAt } = verdict.claims
    const tenant = verdict.claims.tenant ?? undefined
    if (verdict.state === 'expired') {
      const end = new Date(expiresAt * 1000).toISOString()
      return { state: 'expired', reason: `this callback URL of ${service} ended at ${end}` }
    }
    const { rule, resolver } = this.#parts
    const { baseline } = rule
    if (baseline === undefined || !rule.isReady) return { state: 'unknown', reason: 'no route table is held yet' }
    if (tenant !== undefined && !rule.hasTenant(tenant)) return gone(`the environment ${tenant} is gone`)
    const { state, owner, reason, url } = resolver.resolve(service, { tenant: tenant ?? baseline })
    if (state === 'masked') return gone(reason)
    const answerer = owner ?? baseline
    // The environment's copy knows what the callback is about; the baseline's does not.
    if (avoidsBaseline && answerer === baseline) return gone(`${tenant ?? baseline} no longer has its own ${service}`)
    if (answerer === this.#parts.ownTenant) {
      return { state: 'here', tenant, path: callback.path + callback.query }
    }
    if (url === undefined) return { state: 'unknown', reason: `${service} of ${answerer} has no address now` }
    return { state: 'elsewhere', tenant, url: targetUrl(url, callback) }
  }
}

function gone(why: string): ReceivedCallback {
  return { state: 'gone', reason: `${why}, and with it whatever waited for this callback` }
}

function scopeOf(service: string, path: string): { purpose: 'callback'; boundTo: readonly string[] } {
  return { purpose: 'callback', boundTo: [service, canonicalCallbackPath(path)] }
}

function publicBase(publicUrl: string, service: string): string {
  return publicUrl.replaceAll('{service}', service).replace(/\/+$/, '')
}

function targetUrl(base: string, { token, path, query }: CallbackTarget): string {
  return `${base}/${CALLBACK_SEGMENT}/${token}${path}${query}`
}
