import { setTimeout as delay } from 'node:timers/promises'
import { sdkError } from '../../errors.js'
import type { MessageDecision } from '../consumer-rule.js'
import { HOPS_HEADER, PARKED_HEADER, handOverPauseMs, laneOf, parkingOf, readHops } from '../lanes.js'
import { baggageOf } from '../message-headers.js'
import type { ReceivedMessage } from '../messages.js'
import type { MessagingClient } from '../messaging-client.js'
import type { KafkaHeaders, KafkaIncoming, KafkaPayload, KafkaProducer } from './kafka-types.js'

/** What is consumed, and how what is not this process's is handed over. */
export interface EachMessageOptions {
  /** The shared topic. Each tenant with its own copy has a lane, `<topic>.<tenant>`; the topics must exist or be made by the broker. */
  readonly topic: string
  /** Connected, idempotent where possible. */
  readonly producer: KafkaProducer
  /** The service whose owner takes the messages. Default: the client's. */
  readonly service?: string
}

const WAIT_MS = 200
/** All in-sync replicas: the offset is committed only when the message is safe in its next topic. */
const ACKS_ALL = -1

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
  const service = options.service ?? client.service
  if (service === undefined) {
    throw sdkError('SDK_OPTIONS_INVALID', `cannot consume ${options.topic}: name the service`)
  }
  return async (payload) => {
    const { decision, run } = await judge(client, service, payload)
    if (decision.action === 'take') return run(() => handler(payload))
    await handOver(payload, decision, { ...options, baseline: client.messages.baseline ?? '' })
  }
}

/** Waits for a route table, and keeps the place in the group meanwhile. */
async function judge(client: MessagingClient, service: string, payload: KafkaPayload): Promise<ReceivedMessage> {
  for (;;) {
    const received = client.messages.receive(service, baggageOf(payload.message.headers))
    if (received.decision.action !== 'wait') return received
    await payload.heartbeat()
    await delay(WAIT_MS)
  }
}

async function handOver(
  payload: KafkaPayload,
  decision: Exclude<MessageDecision, { readonly action: 'take' }>,
  { topic, producer, baseline }: EachMessageOptions & { readonly baseline: string },
): Promise<void> {
  if (decision.action !== 'leave') {
    const messages = [passedOn(payload.message, { [PARKED_HEADER]: decision.reason })]
    await producer.send({ topic: parkingOf(topic), acks: ACKS_ALL, messages })
    return
  }
  const hops = readHops(payload.message.headers?.[HOPS_HEADER])
  await delay(handOverPauseMs(hops))
  const messages = [passedOn(payload.message, { [HOPS_HEADER]: String(hops + 1) })]
  await producer.send({ topic: laneOf(topic, { owner: decision.owner, baseline }), acks: ACKS_ALL, messages })
}

function passedOn({ key, value, timestamp, headers }: KafkaIncoming, more: KafkaHeaders) {
  return { key, value, timestamp, headers: { ...headers, ...more } }
}
