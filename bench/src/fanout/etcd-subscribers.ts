import { etcdClient } from '../etcd-process.js'
import { serveSubscribers } from './serve-subscribers.js'

serveSubscribers((message) => {
  const { port } = message as { readonly port: number }
  return async (subscriber, take) => {
    const watcher = await etcdClient(port).watch().key('bench/value').create()
    watcher.on('put', ({ value }) => {
      take(subscriber, (JSON.parse(value.toString()) as { readonly sequence: number }).sequence)
    })
  }
})
