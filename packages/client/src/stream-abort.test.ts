import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createHttpCaller } from './http.js'

it('ends a stream when its signal aborts, although everything that fetch made has been collected', async () => {
  setFlagsFromString('--expose_gc')
  const collect = runInNewContext('gc') as () => void
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: one\ndata: 1\n\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const stopping = new AbortController()
    const events = createHttpCaller({ baseUrl: `http://127.0.0.1:${port}` }).events('/', { signal: stopping.signal })
    const reading = events[Symbol.asyncIterator]()
    expect((await reading.next()).value).toMatchObject({ event: 'one' })
    const next = reading.next()
    for (let round = 0; round < 5; round += 1) {
      collect()
      await new Promise((resolve) => setImmediate(resolve))
    }
    stopping.abort()
    expect(await next).toEqual({ done: true, value: undefined })
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
