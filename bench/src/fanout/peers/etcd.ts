import { startChild } from '../../child.js'
import { etcdClient, etcdMissing, startEtcd } from '../../etcd-process.js'
import { stopAll, valueOf, type Contender, type ContenderKind } from '../contender.js'

/** One etcd watch for each subscriber, each on a TCP connection of its own; the event carries the value. */
export const etcd: ContenderKind = {
  name: 'etcd watches',
  missing: etcdMissing,
  async start(count): Promise<Contender> {
    const server = await startEtcd()
    const subscribers = startChild('../etcd-subscribers.js', import.meta.url)
    const client = etcdClient(server.port)
    const publisher = { stop: async () => client.close() }
    await subscribers.ask({ port: server.port, count })
    return {
      name: etcd.name,
      subscribers,
      serverPid: server.pid,
      publish: async (sequence) => client.put('bench/value').value(valueOf(sequence)),
      stop: () => stopAll([server, publisher, subscribers]),
    }
  },
}
