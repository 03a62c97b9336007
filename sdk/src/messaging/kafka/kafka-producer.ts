import { textOf } from '../lanes.js'
import { BAGGAGE_HEADER } from '../messages.js'
import type { MessagingClient } from '../messaging-client.js'

/**
 * Messages for `producer.send` or `sendBatch` with the routing context of the code that runs now in their headers.
 * @example producer.send({ topic: 'orders', messages: inContext(client, [{ key, value }]) })
 */
export function inContext<Message extends object>(client: MessagingClient, messages: readonly Message[]): Message[] {
  return messages.map((message) => {
    const present: unknown = 'headers' in message ? message.headers : undefined
    const headers: Record<string, unknown> = typeof present === 'object' ? { ...present } : {}
    const baggage = client.messages.baggage(textOf(headers[BAGGAGE_HEADER]))
    return baggage === undefined ? message : { ...message, headers: { ...headers, [BAGGAGE_HEADER]: baggage } }
  })
}
