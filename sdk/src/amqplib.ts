export type { AmqpChannel, AmqpMessage, AmqpProperties } from './messaging/amqp/amqp-channel.js'
export {
  consumeInContext,
  type AmqpHandler,
  type TenantConsumer,
  type TenantConsumerOptions,
} from './messaging/amqp/amqp-consumer.js'
export { inContext } from './messaging/amqp/amqp-publish.js'
