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
