import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, expect, it, vi } from 'vitest'
import { TestCluster } from '../../testing/replica.test-support.js'

afterEach(() => {
  vi.useRealTimers()
})

it('closes, however long requests may take, although a client has opened a connection and sends nothing', async () => {
  const cluster = await TestCluster.start()
  const replica = await cluster.replica()
  const silent = connect(Number(new URL(replica.url).port), '127.0.0.1')
  const closed = once(silent, 'close')
  await once(silent, 'connect')
  // Answered after the silent connection was accepted, so the server knows of it.
  expect((await fetch(`${replica.url}/healthz`)).status).toBe(200)
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  await cluster.stop()
  await closed
  expect(silent.destroyed).toBe(true)
}, 15_000)
