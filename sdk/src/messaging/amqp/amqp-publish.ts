import { contextHeaders } from '../message-headers.js'
import type { MessagingClient } from '../messaging-client.js'

/**
 * Options of `channel.publish` or `sendToQueue` with the routing context of the code that runs now in the message's headers.
 * @example channel.publish('shop', 'order.paid', body, inContext(client, { persistent: true }))
 */
export function inContext<Options extends object>(
  client: MessagingClient,
  options?: Options,
): Options & { readonly headers: Record<string, unknown> } {
  const given = options ?? ({} as Options)
  const present: unknown = 'headers' in given ? given.headers : undefined
  const headers: Record<string, unknown> = typeof present === 'object' ? { ...present } : {}
  return { ...given, headers: { ...headers, ...contextHeaders(client, headers) } }
}
