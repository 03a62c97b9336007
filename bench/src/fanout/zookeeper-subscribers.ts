import zookeeper, { type Client } from 'node-zookeeper-client'
import { serveSubscribers, type Take } from './serve-subscribers.js'

serveSubscribers((message) => {
  const { port } = message as { readonly port: number }
  return (subscriber, take) =>
    new Promise((resolve, reject) => {
      const client = zookeeper.createClient(`127.0.0.1:${port}`)
      client.once('connected', () => follow({ client, subscriber, take, onReady: resolve, onError: reject }))
      client.connect()
    })
})

interface Following {
  readonly client: Client
  readonly subscriber: number
  readonly take: Take
  readonly onReady: () => void
  readonly onError: (error: Error) => void
}

/** Reads the value with a watch for the next one; the first answer says that the watch is set. */
function follow(following: Following): void {
  const { client, subscriber, take, onReady, onError } = following
  client.getData(
    '/bench',
    () => follow(following),
    (error, data) => {
      // The session ends with the process; until then an error is a subscriber that the count will miss.
      if (error !== null) return onError(error)
      const { sequence } = JSON.parse(data.toString()) as { readonly sequence: number }
      if (sequence >= 0) take(subscriber, sequence)
      onReady()
    },
  )
}
