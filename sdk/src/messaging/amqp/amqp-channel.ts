/** A delivery, as amqplib gives it. */
export interface AmqpMessage {
  readonly content: Buffer
  readonly fields: { readonly redelivered: boolean; readonly exchange: string; readonly routingKey: string }
  readonly properties: AmqpProperties
}

/** Properties of a message that are passed on with it. */
export interface AmqpProperties {
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly deliveryMode?: unknown
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  readonly messageId?: string | undefined
  readonly timestamp?: number | undefined
  readonly type?: string | undefined
  readonly appId?: string | undefined
}

/** What the adapter needs of amqplib's ConfirmChannel: confirmed publishing, because a message is acked only when its next queue has it. */
export interface AmqpChannel<Message extends AmqpMessage = AmqpMessage> {
  assertQueue(queue: string, options: AmqpQueueOptions): Promise<unknown>
  consume(queue: string, onMessage: (message: Message | null) => void): Promise<{ readonly consumerTag: string }>
  cancel(consumerTag: string): Promise<unknown>
  ack(message: Message): void
  nack(message: Message, allUpTo?: boolean, requeue?: boolean): void
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: AmqpPublishOptions,
    callback: (error: unknown) => void,
  ): boolean
}

/** Of a queue that the adapter declares. */
export interface AmqpQueueOptions {
  readonly durable: boolean
  readonly arguments?: Readonly<Record<string, unknown>>
}

/** Of a message that the adapter passes on. */
export type AmqpPublishOptions = Record<string, unknown>

/** Set by the broker at a death; passed on, they would make it take a lane for a cycle and drop the message. */
const DEATH_HEADERS = ['x-death', 'x-first-death-exchange', 'x-first-death-queue', 'x-first-death-reason']

/** The properties of a message for sending it on, with more headers. Its own expiry stays behind: it would be lost in a lane. */
export function passedOn(
  { properties, fields }: AmqpMessage,
  headers: Readonly<Record<string, unknown>>,
): AmqpPublishOptions {
  const kept = Object.entries(properties.headers ?? {}).filter(([name]) => !DEATH_HEADERS.includes(name))
  const { contentType, contentEncoding, priority, correlationId, replyTo, messageId, timestamp, type, appId } =
    properties
  const options = { contentType, contentEncoding, priority, correlationId, replyTo, messageId, timestamp, type, appId }
  const origin = { 'tributary-exchange': fields.exchange, 'tributary-routing-key': fields.routingKey }
  return {
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    persistent: properties.deliveryMode === 2,
    headers: { ...origin, ...Object.fromEntries(kept), ...headers },
  }
}
