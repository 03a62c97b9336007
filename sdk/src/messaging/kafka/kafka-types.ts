/** Headers, as kafkajs takes and gives them. */
export type KafkaHeaders = Record<string, Buffer | string | (Buffer | string)[] | undefined>

/** A message to send. */
export interface KafkaOutgoing {
  key?: Buffer | string | null
  value: Buffer | string | null
  partition?: number
  headers?: KafkaHeaders
  timestamp?: string
}

/** What the adapter needs of a kafkajs producer. */
export interface KafkaProducer {
  send(record: { topic: string; messages: KafkaOutgoing[]; acks?: number }): Promise<unknown>
}

/** A message that came. */
export interface KafkaIncoming {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly offset: string
  readonly headers?: KafkaHeaders | undefined
}

/** What kafkajs gives to `eachMessage`. */
export interface KafkaPayload<Message extends KafkaIncoming = KafkaIncoming> {
  readonly topic: string
  readonly partition: number
  readonly message: Message
  heartbeat(): Promise<void>
}

/** Messages of one fetch. */
export interface KafkaBatch<Message extends KafkaIncoming = KafkaIncoming> {
  readonly topic: string
  readonly partition: number
  readonly messages: Message[]
  isEmpty(): boolean
  firstOffset(): string | null
  lastOffset(): string
  offsetLag(): string
  offsetLagLow(): string
}

/** What kafkajs gives to `eachBatch`, as far as the adapter needs it. */
export interface KafkaBatchPayload {
  readonly batch: KafkaBatch
  /** This message and all before it are done. */
  resolveOffset(offset: string): void
  heartbeat(): Promise<void>
  /** Commits what is resolved, where the consumer's settings say that it is time. */
  commitOffsetsIfNecessary(): Promise<void>
  isRunning(): boolean
  /** True when the consumer was told to read elsewhere: nothing of the batch counts any more. */
  isStale(): boolean
}
