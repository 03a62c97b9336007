import type { IncomingMessage } from 'node:http'
import { endToEndHeaders } from '@tributary/kit'

/** The headers of a message that belong to both ends. `Expect` does not: the next hop is asked for it anew. */
export function passedHeaders({ headersDistinct, headers }: IncomingMessage): Record<string, string[]> {
  const isPassedOn = endToEndHeaders(headers.connection)
  const kept: Record<string, string[]> = {}
  for (const [name, values] of Object.entries(headersDistinct)) {
    if (values !== undefined && name !== 'expect' && isPassedOn(name)) kept[name] = values
  }
  return kept
}
