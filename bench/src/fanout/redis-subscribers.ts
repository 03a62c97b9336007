import { Redis } from 'ioredis'
import { serveSubscribers, type Take } from './serve-subscribers.js'

serveSubscribers((message) => {
  const { port } = message as { readonly port: number }
  return async (subscriber, take) => {
    const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: null, retryStrategy: () => null })
    client.on('error', () => undefined)
    // The connection is up; a read from 0 then misses nothing whenever it begins.
    await client.ping()
    void follow(client, subscriber, take)
  }
})

/** Until the connection is closed, which ends the process's work too. */
async function follow(client: Redis, subscriber: number, take: Take): Promise<void> {
  let after = '0'
  for (;;) {
    const answer = await client.xread('BLOCK', 0, 'STREAMS', 'bench', after).catch(() => null)
    const [, entries] = answer?.[0] ?? []
    if (entries === undefined) return
    for (const [id, [, value]] of entries) {
      after = id
      take(subscriber, (JSON.parse(value ?? '') as { readonly sequence: number }).sequence)
    }
  }
}
