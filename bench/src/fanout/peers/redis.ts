import { Redis } from 'ioredis'
import { startChild } from '../../child.js'
import { isInstalled, startServer } from '../../server-process.js'
import { stopAll, valueOf, type Contender, type ContenderKind } from '../contender.js'

/** A Redis stream that every subscriber follows with a blocking read, `appendfsync always`. */
export const redis: ContenderKind = {
  name: 'Redis streams',
  missing: () =>
    isInstalled('redis-server') ? undefined : 'redis-server is not installed (apt-get install redis-server)',
  async start(count): Promise<Contender> {
    const server = await startServer({
      program: 'redis-server',
      arguments: ({ port, folder }) =>
        `--port ${port} --bind 127.0.0.1 --appendonly yes --appendfsync always --maxclients 15000`
          .split(' ')
          .concat('--save', '', '--dir', folder),
    })
    const subscribers = startChild('../redis-subscribers.js', import.meta.url)
    const client = new Redis({ port: server.port, host: '127.0.0.1' })
    await subscribers.ask({ port: server.port, count })
    return {
      name: redis.name,
      subscribers,
      serverPid: server.pid,
      publish: (sequence) => client.xadd('bench', '*', 'value', valueOf(sequence)),
      stop: () => stopAll([server, { stop: async () => client.disconnect() }, subscribers]),
    }
  },
}
