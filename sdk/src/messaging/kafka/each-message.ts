import type { MessagingClient } from '../messaging-client.js'
import { consumedService, handOver, judge, type EachMessageOptions } from './hand-over.js'
import type { KafkaPayload } from './kafka-types.js'

export type { EachMessageOptions } from './hand-over.js'

/**
 * An `eachMessage` that handles what this process's tenant owns, in the message's routing context. The consumers of the shared topic (one group,
 * at the baseline) are the only ones to decide; they put what another tenant owns into its lane before kafkajs commits the offset, with key,
 * value, timestamp and headers as they were, so the order within a key stays. Whoever finds in a lane what is not the lane's any more hands it on in the same way:
 * nobody drops a message, and one is handled twice only where Kafka itself would do so (at least once). An error of the handler is kafkajs's to retry.
 * @example await consumer.run({ eachMessage: eachMessage(client, { topic: 'orders', producer }, handle) })
 */
export function eachMessage<Payload extends KafkaPayload>(
  client: MessagingClient,
  options: EachMessageOptions,
  handler: (payload: Payload) => Promise<void>,
): (payload: Payload) => Promise<void> {
  const service = consumedService(client, options)
  return async (payload) => {
    const { message } = payload
    const judged = await judge(client, service, { message, heartbeat: () => payload.heartbeat() })
    if (judged === undefined) return
    const { decision, run } = judged
    if (decision.action === 'take') await run(() => handler(payload))
    else await handOver(client, options, { messages: [message], decision })
  }
}
