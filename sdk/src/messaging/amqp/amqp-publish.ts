import { textOf } from '../lanes.js'
import { BAGGAGE_HEADER } from '../messages.js'
import type { MessagingClient } from '../messaging-client.js'

/**
 * Options of `channel.publish` or `sendToQueue` with the routing context of the code that runs now in the message's headers.
 * @example channel.publish('shop', 'order.paid', body, inContext(client, { persistent: true }))
 */
export function inContext<Options extends { readonly headers?: Readonly<Record<string, unknown>> }>(
  client: MessagingClient,
  options?: Options,
): Options & { readonly headers: Record<string, unknown> } {
  const headers: Record<string, unknown> = { ...options?.headers }
  const baggage = client.messages.baggage(textOf(headers[BAGGAGE_HEADER]))
  if (baggage !== undefined) headers[BAGGAGE_HEADER] = baggage
  // A generic spread is typed as its parts, without what `options` may leave out.
  return { ...(options ?? ({} as Options)), headers }
}
