import { INTEGRATION_TENANT, canonicalCallbackPath, parseCallbackTarget } from '@tributary/contract'
import { verifyContext, type ContextClaims, type ContextKeys } from '@tributary/contract/context-token'
import { failure } from '../../errors.js'
import type { GatewayAddress } from './gateway-address.js'
import type { GatewayDirectory } from './gateway-routing.js'

/** What the gateway needs to take callbacks of third parties. */
export interface GatewayCallbacks {
  readonly keys: ContextKeys
  /** Undefined: nobody can tell yet. */
  hasTenant(environment: string): boolean | undefined
}

type ServiceAddress = Extract<GatewayAddress, { kind: 'service' }>

/**
 * Where a callback URL leads: the environment that made it, and the service's own path. The host does not count, because it is the
 * baseline's for all. Undefined: the address is not a callback's.
 * @throws AppError `GATEWAY_CALLBACK_FORGED`, `GATEWAY_CALLBACK_EXPIRED`, `GATEWAY_CALLBACK_GONE`, `GATEWAY_CALLBACK_UNDECIDED`
 */
export function readCallback(
  address: ServiceAddress,
  callbacks: GatewayCallbacks,
  directory: Pick<GatewayDirectory, 'resolve'>,
): ServiceAddress | undefined {
  const callback = parseCallbackTarget(address.path)
  if (callback === undefined) return undefined
  const boundTo = [address.service, canonicalCallbackPath(callback.path)]
  const scope = { purpose: 'callback', boundTo, nowMs: Date.now() } as const
  const verdict = verifyContext(callbacks.keys, callback.token, scope)
  const what = `this callback URL of ${address.service}`
  if (verdict.state === 'forged') {
    throw failure(
      'GATEWAY_CALLBACK_FORGED',
      `${what} is not genuine: ${verdict.reason}; use it exactly as it was given`,
    )
  }
  const { claims } = verdict
  if (verdict.state === 'expired') {
    const end = new Date(claims.expiresAt * 1000).toISOString()
    throw failure('GATEWAY_CALLBACK_EXPIRED', `${what} ended at ${end}; whatever waited for it has given up`)
  }
  const environment = claims.tenant ?? INTEGRATION_TENANT
  const found = { ...address, environment, path: callback.path + callback.query }
  requireAnswerer(found, claims, { callbacks, directory })
  return found
}

/** Never the baseline by accident: what only the environment's own copy knows about is gone with it. */
function requireAnswerer(
  { environment, service }: ServiceAddress,
  { avoidsBaseline }: ContextClaims,
  known: { readonly callbacks: GatewayCallbacks; readonly directory: Pick<GatewayDirectory, 'resolve'> },
): void {
  const exists = known.callbacks.hasTenant(environment)
  const details = { environment, service }
  if (exists === undefined) throw undecided(environment, service)
  if (!exists) {
    const why = `the environment ${environment} is gone, and with it whatever waited for this callback of ${service}`
    throw failure('GATEWAY_CALLBACK_GONE', why, { details })
  }
  const owner = known.directory.resolve(service, environment)?.owner ?? INTEGRATION_TENANT
  if (avoidsBaseline && owner === INTEGRATION_TENANT) {
    const why = `${environment} no longer has its own ${service}, which made this callback URL; the baseline’s knows nothing of it`
    throw failure('GATEWAY_CALLBACK_GONE', why, { details })
  }
}

/** The environment is there, or may be, but is not served now. */
export function undecided(environment: string, service: string): Error {
  return failure(
    'GATEWAY_CALLBACK_UNDECIDED',
    `the environment ${environment} is not served at this moment, so this callback of ${service} cannot be delivered; try again`,
    { details: { environment, service } },
  )
}
