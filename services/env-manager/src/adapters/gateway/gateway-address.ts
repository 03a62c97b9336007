import { failure } from '../../errors.js'

const LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/
const PORT = /:\d{1,5}$/
const LOOPBACK = /^(?:127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/

/** Where a request wants to go: the gateway's own page, an environment's page, or a service. */
export type GatewayAddress =
  | { readonly kind: 'root' }
  | { readonly kind: 'environment'; readonly environment: string }
  | { readonly kind: 'service'; readonly environment: string; readonly service: string; readonly path: string }

/**
 * Reads `Host: <environment>.<domain>[:port]` and `/<service>/<rest>`. The rest is passed on byte for byte; without one it is `/`, or '' when even the
 * slash after the service is missing. The domain alone, and this machine's own addresses where the domain is `localhost`, is the gateway's own page.
 * @throws AppError `GATEWAY_HOST_INVALID` for any other host, so that a foreign name that points here (DNS rebinding) reaches nothing.
 */
export function parseGatewayAddress(
  { host, target }: { readonly host: string | undefined; readonly target: string },
  domain: string,
): GatewayAddress {
  const environment = parseHost(host ?? '', domain)
  if (environment === undefined) return { kind: 'root' }
  const [, first = '', rest = ''] = /^\/([^/?#]*)(.*)$/s.exec(target) ?? []
  if (first === '') return { kind: 'environment', environment }
  return { kind: 'service', environment, service: first, path: rest }
}

function parseHost(host: string, domain: string): string | undefined {
  if (domain === 'localhost' && LOOPBACK.test(host)) return undefined
  const name = host.replace(PORT, '').toLowerCase()
  if (name === domain) return undefined
  const label = name.endsWith(`.${domain}`) ? name.slice(0, -domain.length - 1) : undefined
  if (label !== undefined && LABEL.test(label)) return label
  throw failure(
    'GATEWAY_HOST_INVALID',
    `the gateway serves <environment>.${domain} only, not the host ${JSON.stringify(host.slice(0, 100))}`,
  )
}
