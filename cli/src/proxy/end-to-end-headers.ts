import type { IncomingMessage } from 'node:http'

/** RFC 9110, 7.6.1, what older clients send to proxies, and `Expect`, which the next hop is asked for anew. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
])

/** The headers of a message that belong to both ends: without those of one connection, and those that `Connection` names. */
export function endToEndHeaders({ headersDistinct, headers }: IncomingMessage): Record<string, string[]> {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  const kept: Record<string, string[]> = {}
  for (const [name, values] of Object.entries(headersDistinct)) {
    if (values !== undefined && !HOP_BY_HOP.has(name) && !named.includes(name)) kept[name] = values
  }
  return kept
}
