import type { KafkaGroup } from './kafka-lane.js'
import type { KafkaBatchPayload, KafkaHeaders, KafkaIncoming, KafkaOutgoing, KafkaPayload } from './kafka-types.js'

/** A message as a topic keeps it. */
export interface LoggedMessage {
  readonly value: string
  readonly key: string
  readonly headers: KafkaHeaders
}

/**
 * Kafka as far as a topic of one partition goes: a log that is never changed, and an offset for each group and topic. No broker is needed for the
 * adapter's promises, which are about who reads what and what is produced before a commit.
 */
export class KafkaLog {
  readonly topics = new Map<string, LoggedMessage[]>()
  readonly #offsets = new Map<string, number>()
  /** How many messages each send had. */
  readonly sends: number[] = []
  /** Fails the next sends. */
  isDown = false
  /** False: consumers are being stopped. */
  isRunning = true
  /** True: consumers were told to read elsewhere. */
  isStale = false

  async send({ topic, messages }: { topic: string; messages: KafkaOutgoing[] }): Promise<void> {
    if (this.isDown) throw new Error('the broker is down')
    this.sends.push(messages.length)
    const log = this.topics.get(topic) ?? []
    this.topics.set(topic, log)
    for (const { key, value, headers } of messages) {
      // The wire has bytes only.
      const bytes = Object.entries(headers ?? {}).map(([name, header]) => [name, Buffer.from(String(header))])
      log.push({ key: String(key), value: String(value), headers: Object.fromEntries(bytes) })
    }
  }

  /** Where a group goes on reading. */
  offset({ topic, groupId }: KafkaGroup): number {
    return this.#offsets.get(`${groupId} ${topic}`) ?? 0
  }

  /** Reads what the group has not committed; true when there was something. A handler that fails ends it without a commit. */
  async read(group: KafkaGroup, handle: (payload: KafkaPayload) => Promise<void>): Promise<boolean> {
    const unread = this.#unread(group)
    for (const message of unread) {
      await handle({ topic: group.topic, partition: 0, message, heartbeat: async () => undefined })
      this.#resolve(group, message.offset)
    }
    return unread.length > 0
  }

  /** {@link read} as one batch, whose offsets nobody but the handler resolves; commits what it has resolved, also when it fails. */
  async readBatch(group: KafkaGroup, handle: (payload: KafkaBatchPayload) => Promise<void>): Promise<boolean> {
    const messages = this.#unread(group)
    const last = messages.at(-1)
    if (last === undefined) return false
    await handle({
      batch: {
        topic: group.topic,
        partition: 0,
        messages,
        isEmpty: () => false,
        firstOffset: () => messages[0]?.offset ?? null,
        lastOffset: () => last.offset,
        offsetLag: () => '0',
        offsetLagLow: () => String(messages.length - 1),
      },
      resolveOffset: (offset) => this.#resolve(group, offset),
      heartbeat: async () => undefined,
      commitOffsetsIfNecessary: async () => undefined,
      isRunning: () => this.isRunning,
      isStale: () => this.isStale,
    })
    return true
  }

  #unread(group: KafkaGroup): KafkaIncoming[] {
    const first = this.offset(group)
    const log = this.topics.get(group.topic) ?? []
    return log.slice(first).map(({ key, value, headers }, index) => ({
      key: Buffer.from(key),
      value: Buffer.from(value),
      headers,
      timestamp: '1',
      offset: String(first + index),
    }))
  }

  #resolve({ topic, groupId }: KafkaGroup, offset: string): void {
    this.#offsets.set(`${groupId} ${topic}`, Number(offset) + 1)
  }
}
