import { connect } from 'node:net'
import { once } from 'node:events'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { clientGone } from './client-gone.js'

describe('clientGone', () => {
  it('aborts when the client closes the connection before the answer, and not because its body has been read', async () => {
    const app = Fastify()
    const received = new Promise<AbortSignal>((resolve) => {
      app.post('/', async (_request, reply) => {
        const signal = clientGone(reply)
        resolve(signal)
        await once(signal, 'abort')
        return {}
      })
    })
    const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(url.port), url.hostname)
    socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    const signal = await received
    // By the next turn the request's own end has been told to everyone.
    await new Promise((resolve) => setImmediate(resolve))
    expect(signal.aborted).toBe(false)
    const aborted = once(signal, 'abort')
    socket.destroy()
    await aborted
    expect(signal.reason).toMatchObject({ code: 'CLIENT_GONE' })
    await app.close()
  })

  it('does not abort when the answer was written', async () => {
    const app = Fastify()
    const signals: AbortSignal[] = []
    app.get('/', async (_request, reply) => {
      signals.push(clientGone(reply))
      return {}
    })
    await (await fetch(await app.listen({ host: '127.0.0.1', port: 0 }))).text()
    await app.close()
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })
})
