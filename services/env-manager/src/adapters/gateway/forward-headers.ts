import type { IncomingMessage } from 'node:http'
import { endToEndHeaders } from '@tributary/kit'
import { enterTenant } from './baggage.js'
import type { GatewayTarget } from './gateway-routing.js'

/** Set by the gateway: a caller's own would be believed by the service. */
const REPLACED = new Set([
  'baggage',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'expect',
])

/** Name and value in turn, as `rawHeaders` has them. */
type HeaderList = string[]

/** How the outside speaks to the gateway, which need not be how it is reached: something before it may end TLS. */
export type PublicScheme = 'http' | 'https'

/** Headers that a request goes on with. The host stays: what a service makes of it must be right for the browser. */
export function requestHeaders(request: IncomingMessage, target: GatewayTarget, scheme: PublicScheme): HeaderList {
  const headers = passOn(request, REPLACED)
  const host = request.headers.host ?? ''
  headers.push('baggage', enterTenant(joinValues(request.headers['baggage']), target.environment))
  headers.push(
    'x-forwarded-for',
    request.socket.remoteAddress ?? '',
    'x-forwarded-host',
    host,
    'x-forwarded-proto',
    scheme,
  )
  headers.push('x-forwarded-prefix', `/${target.service}`)
  // The body is framed anew; without this a GET or DELETE with a chunked body would go on without a frame.
  if (request.headers['transfer-encoding'] !== undefined) headers.push('transfer-encoding', 'chunked')
  return headers
}

/** Headers that an answer goes back with: who served it, and redirects that lead back through the gateway. */
export function responseHeaders(
  response: IncomingMessage,
  request: IncomingMessage,
  target: GatewayTarget,
): HeaderList {
  const headers = passOn(response, new Set(['x-tributary-environment', 'x-tributary-served-by']))
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index]?.toLowerCase() === 'location')
      headers[index + 1] = redirect(headers[index + 1] ?? '', request, target)
  }
  headers.push(
    'x-tributary-environment',
    target.environment,
    'x-tributary-served-by',
    `${target.owner}/${target.service}`,
  )
  return headers
}

function passOn(message: IncomingMessage, dropped: ReadonlySet<string>): HeaderList {
  const isPassedOn = endToEndHeaders(message.headers.connection)
  const headers: HeaderList = []
  for (let index = 0; index + 1 < message.rawHeaders.length; index += 2) {
    const name = message.rawHeaders[index] ?? ''
    const key = name.toLowerCase()
    if (dropped.has(key) || !isPassedOn(key)) continue
    headers.push(name, message.rawHeaders[index + 1] ?? '')
  }
  return headers
}

/** The service does not know that it lives below `/<service>`: its own absolute paths are moved there. */
function redirect(location: string, request: IncomingMessage, target: GatewayTarget): string {
  const prefix = `/${target.service}`
  const { host, port } = target.endpoint
  const outside = request.headers.host ?? ''
  const own = [`http://${outside}`, `https://${outside}`, `http://${host}:${port}`].find(
    (origin) => location === origin || location.startsWith(`${origin}/`),
  )
  const path = own === undefined ? location : location.slice(own.length) || '/'
  if (!path.startsWith('/') || path.startsWith('//')) return location
  return path === prefix || path.startsWith(`${prefix}/`) ? path : prefix + path
}

function joinValues(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
