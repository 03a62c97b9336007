import { baggageOf } from '../message-headers.js'
import type { MessagingClient } from '../messaging-client.js'
import {
  consumedService,
  handOver,
  judge,
  judgeNow,
  type EachMessageOptions,
  type SettledDecision,
  type SettledMessage,
} from './hand-over.js'
import type { KafkaBatchPayload, KafkaIncoming } from './kafka-types.js'

/** What is consumed in batches. */
export interface BatchConsumerOptions extends EachMessageOptions {
  /**
   * As kafkajs has it, for each part of a batch. True: when the handler has returned, its messages are done. False: those are done that
   * the handler has resolved with `resolveOffset`, and where it stopped, the batch ends. Default true.
   */
  readonly eachBatchAutoResolve?: boolean
}

/** Settings for `consumer.run`. */
export interface BatchConsumer<Payload> {
  readonly eachBatch: (payload: Payload) => Promise<void>
  /** Always: offsets are resolved part by part. kafkajs would resolve the whole batch, also what is left of it when a consumer stops. */
  readonly eachBatchAutoResolve: false
}

/** Messages in a row that are treated alike. */
interface BatchPart extends SettledMessage {
  readonly messages: readonly KafkaIncoming[]
}

/** A batch that was compressed may hold more than a broker takes at once; each of its messages fits. */
const MAX_HAND_OVER_BYTES = 512 * 1024

/**
 * {@link eachMessage} for whole batches. A batch holds messages of several tenants, so the handler is called for one part after another: messages in
 * a row that bear the same routing context, with `batch` narrowed to them, in that context. What another tenant owns is produced into its lane
 * in between. Offsets are resolved in order, part by part, after a part was handled or is safe in its lane, so nothing is skipped when the
 * handler fails, the consumer stops or it is told to read elsewhere; what was not resolved comes again.
 * @example await consumer.run({ ...batchConsumer(client, { topic: 'orders', producer }, ({ batch }) => db.insertAll(batch.messages)) })
 * @throws AppError `SDK_OPTIONS_INVALID`: neither the options nor the client name a service
 */
export function batchConsumer<Payload extends KafkaBatchPayload>(
  client: MessagingClient,
  options: BatchConsumerOptions,
  handler: (payload: Payload) => Promise<void>,
): BatchConsumer<Payload> {
  const service = consumedService(client, options)
  const eachBatch = async (payload: Payload): Promise<void> => {
    const { messages } = payload.batch
    for (let done = 0; done < messages.length && payload.isRunning() && !payload.isStale();) {
      const part = await nextPart(client, service, { payload, from: done })
      if (part === undefined || !(await treat(part))) return
      done += part.messages.length
      await payload.heartbeat()
      await payload.commitOffsetsIfNecessary()
    }

    /** False: the handler has stopped before the end of the part. */
    async function treat({ messages: part, decision, run }: BatchPart): Promise<boolean> {
      const lastOffset = part.at(-1)?.offset ?? ''
      if (decision.action === 'take') {
        const { narrowed, hasResolved } = narrow(payload, part)
        await run(() => handler(narrowed))
        if (options.eachBatchAutoResolve === false) return hasResolved(lastOffset)
      } else await handOver(client, options, { messages: part, decision })
      payload.resolveOffset(lastOffset)
      return true
    }
  }
  return { eachBatch, eachBatchAutoResolve: false }
}

/** The messages from a place in the batch on that are treated as the first of them is. */
async function nextPart(
  client: MessagingClient,
  service: string,
  { payload, from }: { readonly payload: KafkaBatchPayload; readonly from: number },
): Promise<BatchPart | undefined> {
  const [first, ...rest] = payload.batch.messages.slice(from)
  if (first === undefined) return undefined
  const waiting = { heartbeat: () => payload.heartbeat(), isRunning: () => payload.isRunning() }
  const judged = await judge(client, service, { message: first, ...waiting })
  if (judged === undefined) return undefined
  const messages = [first]
  const treatment = treatmentOf(judged.decision, first)
  const weigh = judged.decision.action === 'take' ? () => 0 : sizeOf
  let bytes = weigh(first)
  for (const message of rest) {
    const decision = judgeNow(client, service, message)?.decision
    bytes += weigh(message)
    if (decision === undefined || treatmentOf(decision, message) !== treatment || bytes > MAX_HAND_OVER_BYTES) break
    messages.push(message)
  }
  return { ...judged, messages }
}

/** Equal for messages that can be treated together: those that are handled in the same context, or go to the same place for the same reason. */
function treatmentOf(decision: SettledDecision, { headers }: KafkaIncoming): string {
  if (decision.action === 'take') return `take ${baggageOf(headers) ?? ''}`
  return decision.action === 'leave' ? `leave ${decision.owner}` : `park ${decision.reason}`
}

function sizeOf({ key, value }: KafkaIncoming): number {
  return (key?.length ?? 0) + (value?.length ?? 0)
}

/** The payload of a part, which also notes what the handler resolves. */
function narrow<Payload extends KafkaBatchPayload>(payload: Payload, part: readonly KafkaIncoming[]) {
  const { batch } = payload
  let resolved: bigint | undefined
  const narrowed = {
    ...payload,
    batch: {
      ...batch,
      messages: [...part],
      isEmpty: () => part.length === 0,
      firstOffset: () => part[0]?.offset ?? null,
      lastOffset: () => part.at(-1)?.offset ?? batch.lastOffset(),
      offsetLag: () => batch.offsetLag(),
      offsetLagLow: () => batch.offsetLagLow(),
    },
    resolveOffset: (offset: string) => {
      payload.resolveOffset(offset)
      const value = BigInt(offset)
      if (resolved === undefined || value > resolved) resolved = value
    },
  }
  return { narrowed, hasResolved: (offset: string): boolean => resolved !== undefined && resolved >= BigInt(offset) }
}
