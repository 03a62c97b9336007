import { setTimeout as delay } from 'node:timers/promises'
import { sdkError } from '../../errors.js'
import type { MessageDecision } from '../consumer-rule.js'
import { HOPS_HEADER, PARKED_HEADER, handOverPauseMs, laneOf, parkingOf, readHops } from '../lanes.js'
import { baggageOf } from '../message-headers.js'
import type { ReceivedMessage } from '../messages.js'
import type { MessagingClient } from '../messaging-client.js'
import type { KafkaHeaders, KafkaIncoming, KafkaOutgoing, KafkaProducer } from './kafka-types.js'

/** What is consumed, and how what is not this process's is handed over. */
export interface EachMessageOptions {
  /** The shared topic. Each tenant with its own copy has a lane, `<topic>.<tenant>`; the topics must exist or be made by the broker. */
  readonly topic: string
  /** Connected, idempotent where possible. */
  readonly producer: KafkaProducer
  /** The service whose owner takes the messages. Default: the client's. */
  readonly service?: string
}

/** Who takes a message, decided by a table that is there. */
export type SettledDecision = Exclude<MessageDecision, { readonly action: 'wait' }>

/** A message whose taker is known. */
export interface SettledMessage extends Pick<ReceivedMessage, 'run'> {
  readonly decision: SettledDecision
}

/** How long to wait for a table, and that the place in the group is kept meanwhile. */
interface Waiting {
  heartbeat(): Promise<void>
  /** False: nobody waits any more. Default: always. */
  isRunning?(): boolean
}

const WAIT_MS = 200
/** All in-sync replicas: the offset is committed only when the message is safe in its next topic. */
const ACKS_ALL = -1

/**
 * The service whose messages are consumed.
 * @throws AppError `SDK_OPTIONS_INVALID`: neither the options nor the client name one
 */
export function consumedService(
  client: MessagingClient,
  { topic, service = client.service }: EachMessageOptions,
): string {
  if (service === undefined) throw sdkError('SDK_OPTIONS_INVALID', `cannot consume ${topic}: name the service`)
  return service
}

/** Judges a message as the table is now; undefined: there is no table yet. */
export function judgeNow(client: MessagingClient, service: string, message: KafkaIncoming): SettledMessage | undefined {
  const { decision, run } = client.messages.receive(service, baggageOf(message.headers))
  return decision.action === 'wait' ? undefined : { decision, run }
}

/** Judges a message once there is a table; undefined: the consumer has been stopped before. */
export async function judge(
  client: MessagingClient,
  service: string,
  { message, ...waiting }: Waiting & { readonly message: KafkaIncoming },
): Promise<SettledMessage | undefined> {
  for (;;) {
    const settled = judgeNow(client, service, message)
    if (settled !== undefined || waiting.isRunning?.() === false) return settled
    await waiting.heartbeat()
    await delay(WAIT_MS)
  }
}

/** Produces messages that another tenant's consumers take, or nobody, to where they belong; resolves when they are safe there. */
export async function handOver(
  client: MessagingClient,
  { topic, producer }: EachMessageOptions,
  { messages, decision }: HandedOver,
): Promise<void> {
  if (decision.action === 'park') {
    const parked = messages.map((message) => passedOn(message, { [PARKED_HEADER]: decision.reason }))
    await producer.send({ topic: parkingOf(topic), acks: ACKS_ALL, messages: parked })
    return
  }
  const hops = messages.map(({ headers }) => readHops(headers?.[HOPS_HEADER]))
  await delay(handOverPauseMs(Math.max(0, ...hops)))
  const left = messages.map((message, index) => passedOn(message, { [HOPS_HEADER]: String((hops[index] ?? 0) + 1) }))
  const lane = laneOf(topic, { owner: decision.owner, baseline: client.messages.baseline ?? '' })
  await producer.send({ topic: lane, acks: ACKS_ALL, messages: left })
}

/** Messages in a row that go to the same place. */
export interface HandedOver {
  readonly messages: readonly KafkaIncoming[]
  readonly decision: Exclude<SettledDecision, { readonly action: 'take' }>
}

function passedOn({ key, value, timestamp, headers }: KafkaIncoming, more: KafkaHeaders): KafkaOutgoing {
  return { key, value, timestamp, headers: { ...headers, ...more } }
}
