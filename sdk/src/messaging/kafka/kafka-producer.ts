import { contextHeaders } from '../message-headers.js'
import type { MessagingClient } from '../messaging-client.js'

/**
 * Messages for `producer.send` or `sendBatch` with the routing context of the code that runs now in their headers.
 * @example producer.send({ topic: 'orders', messages: inContext(client, [{ key, value }]) })
 */
export function inContext<Message extends object>(client: MessagingClient, messages: readonly Message[]): Message[] {
  return messages.map((message) => {
    const present: unknown = 'headers' in message ? message.headers : undefined
    const headers: Record<string, unknown> = typeof present === 'object' ? { ...present } : {}
    const context = contextHeaders(client, headers)
    return Object.keys(context).length === 0 ? message : { ...message, headers: { ...headers, ...context } }
  })
}
