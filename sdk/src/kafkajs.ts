export { eachMessage, type EachMessageOptions } from './messaging/kafka/each-message.js'
export { laneFor, orphanedLanes, type KafkaGroup } from './messaging/kafka/kafka-lane.js'
export { inContext } from './messaging/kafka/kafka-producer.js'
export type {
  KafkaHeaders,
  KafkaIncoming,
  KafkaOutgoing,
  KafkaPayload,
  KafkaProducer,
} from './messaging/kafka/kafka-types.js'
