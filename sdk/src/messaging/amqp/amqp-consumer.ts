import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../diagnostics.js'
import { sdkError } from '../../errors.js'
import type { MessageDecision } from '../consumer-rule.js'
import { HOPS_HEADER, PARKED_HEADER, handOverPauseMs, laneOf, parkingOf, readHops } from '../lanes.js'
import { baggageOf } from '../message-headers.js'
import type { MessagingClient } from '../messaging-client.js'
import { passedOn, type AmqpChannel, type AmqpMessage } from './amqp-channel.js'

/** What is consumed, and how. */
export interface TenantConsumerOptions<Message> {
  readonly handler: AmqpHandler<Message>
  /** The shared queue. It must exist; only consumers of the baseline read it. Each other tenant has a lane, `<queue>.<tenant>`. */
  readonly queue: string
  /** The service whose owner takes the messages. Default: the client's. */
  readonly service?: string
  /**
   * How long a message waits in a lane that nobody reads before the broker puts it back into the shared queue. Default 30,000. The same in all
   * processes, because it is a property of the lane.
   */
  readonly unclaimedAfterMs?: number
  /** Told what went wrong with a message or the consumer; the message is not lost. Default: nobody. */
  readonly onProblem?: (problem: string, error: unknown) => void
}

/** A running consumer. */
export interface TenantConsumer {
  /** The queue that it reads. */
  readonly queue: string
  /** Takes no new message, and resolves when those at work are settled. The channel stays open. */
  close(): Promise<void>
}

/** Handles a message. Resolves: it is acked. Rejects: it is tried once more, then parked. */
export type AmqpHandler<Message> = (message: Message) => Promise<void> | void

const DEFAULT_UNCLAIMED_MS = 30_000
/** An empty lane that nobody reads or declares any more goes after this many times its message time to live. */
const LANE_EXPIRES_TIMES = 20
const WAIT_MS = 200

/**
 * Consumes what this process's tenant owns, each message in its routing context. At the baseline it reads the shared queue and is the only one
 * to decide: what another tenant owns goes to this tenant's lane, confirmed by the broker before it is acked. In a feature environment it
 * reads the lane. Whoever gets a message that is not its own any more hands it to whose it is now, so nobody drops one; a message is handled
 * twice only where AMQP itself would do so, when a process or connection dies between a confirm and an ack.
 * @throws AppError `SDK_NOT_READY` before the first view, `SDK_OPTIONS_INVALID` without a service; errors of the channel
 */
export async function consumeInContext<Message extends AmqpMessage>(
  client: MessagingClient,
  channel: AmqpChannel<Message>,
  options: TenantConsumerOptions<Message>,
): Promise<TenantConsumer> {
  const service = options.service ?? client.service
  const { baseline } = client.messages
  const attempt = `cannot consume ${options.queue}`
  if (service === undefined) throw sdkError('SDK_OPTIONS_INVALID', `${attempt}: name the service`)
  if (baseline === undefined) throw sdkError('SDK_NOT_READY', `${attempt}: no view is held yet; wait for READY`)
  const consumer = new LaneConsumer(client, channel, { ...options, service, baseline })
  await consumer.start()
  return consumer
}

interface Parts<Message> extends TenantConsumerOptions<Message> {
  readonly service: string
  readonly baseline: string
}

class LaneConsumer<Message extends AmqpMessage> implements TenantConsumer {
  readonly queue: string
  readonly #client: MessagingClient
  readonly #channel: AmqpChannel<Message>
  readonly #parts: Parts<Message>
  readonly #atWork = new Set<Promise<void>>()
  #consumerTag: string | undefined

  constructor(client: MessagingClient, channel: AmqpChannel<Message>, parts: Parts<Message>) {
    this.#client = client
    this.#channel = channel
    this.#parts = parts
    this.queue = laneOf(parts.queue, { owner: client.tenant, baseline: parts.baseline })
  }

  async start(): Promise<void> {
    if (this.queue !== this.#parts.queue) await this.#assertLane(this.queue)
    const { consumerTag } = await this.#channel.consume(this.queue, (message) => this.#onMessage(message))
    this.#consumerTag = consumerTag
  }

  async close(): Promise<void> {
    if (this.#consumerTag !== undefined) await this.#channel.cancel(this.#consumerTag)
    this.#consumerTag = undefined
    await Promise.all(this.#atWork)
  }

  #onMessage(message: Message | null): void {
    if (message === null) {
      this.#problem(`the broker cancelled the consumer of ${this.queue}`, undefined)
      return
    }
    const work = this.#deal(message)
    this.#atWork.add(work)
    void work.then(() => this.#atWork.delete(work))
  }

  /** Never rejects. What could not be dealt with goes back to where it was. */
  async #deal(message: Message): Promise<void> {
    try {
      const baggage = baggageOf(message.properties.headers)
      const { decision, run } = this.#client.messages.receive(this.#parts.service, baggage)
      if (decision.action === 'take') await run(() => this.#handle(message))
      else await this.#giveAway(message, decision)
    } catch (error) {
      this.#problem(`a message of ${this.queue} goes back: ${messageOf(error)}`, error)
      this.#settle(() => this.#channel.nack(message, false, true))
    }
  }

  async #handle(message: Message): Promise<void> {
    try {
      await this.#parts.handler(message)
    } catch (error) {
      this.#problem(`the handler of ${this.queue} failed: ${messageOf(error)}`, error)
      if (!message.fields.redelivered) return this.#settle(() => this.#channel.nack(message, false, true))
      await this.#send(message, parkingOf(this.#parts.queue), { [PARKED_HEADER]: 'the handler failed twice' })
    }
    this.#settle(() => this.#channel.ack(message))
  }

  async #giveAway(message: Message, decision: Exclude<MessageDecision, { readonly action: 'take' }>): Promise<void> {
    if (decision.action === 'wait') {
      await delay(WAIT_MS)
      return this.#settle(() => this.#channel.nack(message, false, true))
    }
    if (decision.action === 'park') {
      await this.#send(message, parkingOf(this.#parts.queue), { [PARKED_HEADER]: decision.reason })
    } else {
      const hops = hopsOf(message)
      await delay(handOverPauseMs(hops))
      const { baseline, queue } = this.#parts
      await this.#send(message, laneOf(queue, { owner: decision.owner, baseline }), { [HOPS_HEADER]: hops + 1 })
    }
    this.#settle(() => this.#channel.ack(message))
  }

  /** Resolves when the broker has the message safely in the queue, which is made when it is not there. */
  async #send(message: Message, queue: string, headers: Readonly<Record<string, unknown>>): Promise<void> {
    if (queue === parkingOf(this.#parts.queue)) await this.#channel.assertQueue(queue, { durable: true })
    else if (queue !== this.#parts.queue) await this.#assertLane(queue)
    await new Promise<void>((resolve, reject) => {
      this.#channel.publish('', queue, message.content, passedOn(message, headers), (error) => {
        if (error === null || error === undefined) resolve()
        else
          reject(new Error(`the broker did not take the message for ${queue}: ${messageOf(error)}`, { cause: error }))
      })
    })
  }

  /** The broker itself puts back what nobody reads: when an environment goes, and when its process is only slow to come. */
  async #assertLane(queue: string): Promise<void> {
    const unclaimedMs = this.#parts.unclaimedAfterMs ?? DEFAULT_UNCLAIMED_MS
    await this.#channel.assertQueue(queue, {
      durable: true,
      arguments: {
        'x-message-ttl': unclaimedMs,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': this.#parts.queue,
        'x-expires': unclaimedMs * LANE_EXPIRES_TIMES,
      },
    })
  }

  /** A channel that has closed throws; the broker then redelivers the message by itself. */
  #settle(settle: () => void): void {
    try {
      settle()
    } catch (error) {
      this.#problem(`a message of ${this.queue} could not be settled: ${messageOf(error)}`, error)
    }
  }

  #problem(problem: string, error: unknown): void {
    this.#parts.onProblem?.(problem, error)
  }
}

/** What the broker put back has rested long enough: pausing for it would only hold up others behind it. */
function hopsOf({ properties: { headers } }: AmqpMessage): number {
  return headers?.['x-death'] === undefined ? readHops(headers?.[HOPS_HEADER]) : 0
}
