import { failure } from '../../errors.js'

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const HOST = /^(?:([^.:[\]]+)\.)?(localhost)(?::\d{1,5})?$/i
const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/

/** Where a request wants to go: the gateway's own page, an environment's page, or a service. */
export type GatewayAddress =
  | { readonly kind: 'root' }
  | { readonly kind: 'environment'; readonly environment: string }
  | { readonly kind: 'service'; readonly environment: string; readonly service: string; readonly path: string }

/**
 * Reads `Host: <environment>.localhost[:port]` and `/<service>/<rest>`. The rest is passed on byte for byte; without one it is `/`, or '' when even the
 * slash after the service is missing.
 * @throws AppError `GATEWAY_HOST_INVALID` for any other host, so that a foreign name that points here (DNS rebinding) reaches nothing.
 */
export function parseGatewayAddress(host: string | undefined, target: string): GatewayAddress {
  const environment = parseHost(host)
  if (environment === undefined) return { kind: 'root' }
  const [, first = '', rest = ''] = /^\/([^/?#]*)(.*)$/s.exec(target) ?? []
  if (first === '') return { kind: 'environment', environment }
  return { kind: 'service', environment, service: first, path: rest }
}

function parseHost(host: string | undefined): string | undefined {
  const text = host ?? ''
  if (LOOPBACK.test(text)) return undefined
  const match = HOST.exec(text)
  const label = match?.[1]?.toLowerCase()
  if (match === null || (label !== undefined && !LABEL.test(label))) {
    throw failure(
      'GATEWAY_HOST_INVALID',
      `the gateway serves http://<environment>.localhost only, not the host ${JSON.stringify(text.slice(0, 100))}`,
    )
  }
  return label
}
