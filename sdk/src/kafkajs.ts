export { batchConsumer, type BatchConsumer, type BatchConsumerOptions } from './messaging/kafka/batch-consumer.js'
export { eachMessage, type EachMessageOptions } from './messaging/kafka/each-message.js'
export { laneFor, orphanedLanes, type KafkaGroup } from './messaging/kafka/kafka-lane.js'
export { inContext } from './messaging/kafka/kafka-producer.js'
export type {
  KafkaBatch,
  KafkaBatchPayload,
  KafkaHeaders,
  KafkaIncoming,
  KafkaOutgoing,
  KafkaPayload,
  KafkaProducer,
} from './messaging/kafka/kafka-types.js'
