import { startChild } from '../../child.js'
import { isInstalled, startServer } from '../../server-process.js'
import { stopAll, valueOf, type Contender, type ContenderKind } from '../contender.js'
import { NatsConnection } from '../nats-connection.js'

/**
 * A JetStream key-value bucket with one ordered watch for each subscriber. Debian's server (2.9) has no option to sync the file of a
 * bucket at each write, as the others do here, so that its figures are better than they would be.
 */
export const nats: ContenderKind = {
  name: 'NATS JetStream KV (no fsync)',
  missing: () =>
    isInstalled('nats-server') ? undefined : 'nats-server is not installed (apt-get install nats-server)',
  async start(count): Promise<Contender> {
    const server = await startServer({
      program: 'nats-server',
      arguments: ({ port, folder }) => ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', folder],
    })
    const subscribers = startChild('../nats-subscribers.js', import.meta.url)
    const connection = await NatsConnection.open(server.port)
    await connection.request('$JS.API.STREAM.CREATE.KV_bench', {
      name: 'KV_bench',
      subjects: ['$KV.bench.>'],
      max_msgs_per_subject: 1,
      discard: 'new',
      allow_rollup_hdrs: true,
      storage: 'file',
    })
    await subscribers.ask({ port: server.port, count })
    return {
      name: nats.name,
      subscribers,
      serverPid: server.pid,
      publish: (sequence) => connection.request('$KV.bench.value', valueOf(sequence)),
      stop: () => stopAll([server, { stop: async () => connection.close() }, subscribers]),
    }
  },
}
