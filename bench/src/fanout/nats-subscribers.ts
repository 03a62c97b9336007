import { NatsConnection } from './nats-connection.js'
import { serveSubscribers } from './serve-subscribers.js'

serveSubscribers((message) => {
  const { port } = message as { readonly port: number }
  return async (subscriber, take) => {
    const connection = await NatsConnection.open(port)
    const inbox = `bench.deliver.${subscriber}`
    connection.subscribe(inbox, (payload) => {
      take(subscriber, (JSON.parse(payload) as { readonly sequence: number }).sequence)
    })
    // As the client libraries watch a bucket: an ordered consumer in memory, without acknowledgements.
    await connection.request('$JS.API.CONSUMER.CREATE.KV_bench', {
      stream_name: 'KV_bench',
      config: {
        deliver_subject: inbox,
        deliver_policy: 'last_per_subject',
        filter_subject: '$KV.bench.value',
        ack_policy: 'none',
        max_deliver: 1,
        mem_storage: true,
        num_replicas: 1,
      },
    })
  }
})
