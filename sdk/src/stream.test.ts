import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectOptions } from './config.js'
import { connect } from './connect.js'
import { FakeConfigCenter, servedAt, type FakeStream } from './fake-config-center.test-support.js'
import type { Tributary } from './tributary.js'

let server: FakeConfigCenter
let clients: Tributary[]

beforeEach(async () => {
  server = new FakeConfigCenter()
  clients = []
  server.seed({ 'config/a': { pageSize: 20 }, 'service/b': servedAt('integration', 8001, 'inherited') })
  await server.start()
})

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await server.stop()
})

async function open(options: ConnectOptions = {}): Promise<Tributary> {
  const client = await connect(server.options(options))
  clients.push(client)
  return client
}

/** Waits until the client has what the server has, over one stream. */
function inStep(client: Tributary): Promise<void> {
  return eventually(() => {
    expect(client.status.state).toBe('READY')
    expect(client.config.get('')).toEqual(server.items.view.get('config/a'))
    expect(server.openStreams).toHaveLength(1)
  })
}

describe('a stream', () => {
  it('gives a READY client with the view', async () => {
    const client = await open()
    expect(client.status).toEqual({ state: 'READY', reason: 'in step with the config center' })
    expect(client.config.get('pageSize')).toBe(20)
    expect(client.resolve('b').url).toBe('http://127.0.0.1:8001')
    expect(client.appliedRevision).toBe('1')
  })

  it('asks for both channels with the token in the header only', async () => {
    await open()
    expect(Object.fromEntries(server.stream.query)).toEqual({ channels: 'view,routes', instance: 'a-1', service: 'a' })
    expect(server.lastHeaders.authorization).toBe('Bearer trb_1_secret')
  })

  it('applies deltas', async () => {
    const client = await open()
    server.publish({ 'config/a': { pageSize: 21 }, 'service/b': null })
    await eventually(() => expect(client.config.get('pageSize')).toBe(21))
    expect(client.resolve('b').state).toBe('missing')
    expect(client.appliedRevision).toBe('2')
  })

  it('resumes with revision and hashes after a cut, and misses nothing', async () => {
    const client = await open()
    server.publish({ 'config/a': { pageSize: 21 } })
    await eventually(() => expect(client.appliedRevision).toBe('2'))
    server.heartbeat()
    const [viewHash, routesHash] = [server.hash('view'), server.hash('routes')]
    server.revision += 1n
    server.stream.cut()
    await eventually(() => expect(server.streams).toHaveLength(2))
    expect(Object.fromEntries(server.stream.query)).toMatchObject({ viewHash, routesHash })
    server.publish({ 'config/a': { pageSize: 22 } })
    await inStep(client)
  })

  it('names as after the revision that both channels have', async () => {
    const client = await open()
    server.publish({ 'config/a': { pageSize: 21 } })
    await eventually(() => expect(client.appliedRevision).toBe('2'))
    server.stream.cut()
    await eventually(() => expect(server.streams).toHaveLength(2))
    expect(server.stream.query.get('after')).toBe('1')
  })

  it('takes a heartbeat’s revision as its own for both channels', async () => {
    const client = await open()
    server.revision = 9n
    server.heartbeat()
    await eventually(() => expect(client.appliedRevision).toBe('9'))
    server.stream.cut()
    await eventually(() => expect(server.streams).toHaveLength(2))
    expect(server.stream.query.get('after')).toBe('9')
  })

  it('gets the deltas that it missed', async () => {
    const client = await open()
    server.onStream = (stream) => {
      stream.send('hello', server.hello())
      stream.send('view.delta', missed)
      stream.send('routes.resumed', { storeRevision: '2', hash: server.hash('routes') })
    }
    server.revision = 2n
    const missed = server.delta('view', { 'config/a': { pageSize: 33 } })
    server.stream.cut()
    await inStep(client)
    expect(client.config.get('pageSize')).toBe(33)
  })

  it('drops a delta that it has already', async () => {
    const client = await open()
    server.revision = 2n
    const frame = server.delta('view', { 'config/a': { pageSize: 21 } })
    server.stream.send('view.delta', frame)
    server.stream.send('view.delta', frame)
    server.publish({ 'config/a': { pageSize: 22 } })
    await inStep(client)
    expect(server.streamRequests).toBe(1)
  })

  it('asks for a snapshot when a delta is missing, and keeps serving the last view meanwhile', async () => {
    const client = await open()
    server.revision = 2n
    server.delta('view', { 'config/a': { pageSize: 21 } })
    server.publish({ 'config/a': { pageSize: 22 } })
    await inStep(client)
    expect(client.diagnosticCounts.delta_gap).toBe(1)
    expect(server.stream.query.has('after')).toBe(false)
    expect(server.stream.query.has('viewHash')).toBe(false)
    expect(server.stream.query.has('routesHash')).toBe(true)
  })

  it('asks for a snapshot when the hash after a delta differs, and never shows the wrong value', async () => {
    const client = await open()
    const seen: unknown[] = []
    client.config.onChange('pageSize', (now) => void seen.push(now))
    server.revision = 2n
    const frame = server.delta('view', { 'config/a': { pageSize: 21 } })
    const changes = [{ key: 'config/a', value: { pageSize: 666 } }]
    server.stream.send('view.delta', { ...frame, changes })
    await inStep(client)
    expect(client.diagnosticCounts.hash_mismatch).toBe(1)
    expect(seen).toEqual([21])
  })

  it('refuses a snapshot whose hash differs', async () => {
    let damaged = true
    server.onStream = (stream) => {
      stream.send('hello', server.hello())
      stream.send('routes.snapshot', server.snapshot('routes'))
      const snapshot = server.snapshot('view')
      stream.send('view.snapshot', damaged ? { ...snapshot, items: [{ key: 'chain', value: ['x'] }] } : snapshot)
      damaged = false
    }
    const client = await open()
    await inStep(client)
    expect(client.diagnosticCounts.hash_mismatch).toBe(1)
  })

  it('reconnects when a resumed hash is not its own', async () => {
    const client = await open()
    server.onStream = (stream) => {
      server.onStream = undefined
      stream.send('hello', server.hello())
      stream.send('view.resumed', { storeRevision: '1', hash: 'f'.repeat(64) })
    }
    server.stream.cut()
    await eventually(() => expect(server.streams).toHaveLength(3))
    await inStep(client)
    expect(client.diagnosticCounts.hash_mismatch).toBe(1)
    expect(server.stream.query.has('viewHash')).toBe(false)
  })

  it('reconnects after three heartbeats of silence', async () => {
    server.heartbeatMs = 20
    const reasons: string[] = []
    const client = await open({ onDiagnostic: ({ message }) => reasons.push(message) })
    await eventually(() => expect(server.streams.length).toBeGreaterThan(1))
    expect(reasons[0]).toContain('nothing was received')
    expect(server.streams[0]?.ended).toBe(true)
    expect(client.diagnosticCounts.stream_ended).toBeGreaterThan(0)
    server.heartbeatMs = 60_000
    await inStep(client)
  })

  it('stays while heartbeats come', async () => {
    server.heartbeatMs = 60
    const client = await open()
    for (let beat = 1; beat <= 8; beat += 1) {
      server.revision += 1n
      server.heartbeat()
      await eventually(() => expect(client.appliedRevision).toBe(String(server.revision)))
      await untilNext(40)
    }
    expect(server.streamRequests).toBe(1)
  })

  it('reconnects when bytes trickle in but no frame ever ends', async () => {
    server.heartbeatMs = 20
    const reasons: string[] = []
    const client = await open({ onDiagnostic: ({ message }) => reasons.push(message) })
    const first = server.stream
    const trickle = setInterval(() => first.raw('data: x\n'), 10)
    try {
      await eventually(() => expect(first.ended).toBe(true))
      expect(reasons[0]).toContain('no whole frame was received')
    } finally {
      clearInterval(trickle)
    }
    server.heartbeatMs = 60_000
    await inStep(client)
  })

  it('understands frames that come byte by byte', async () => {
    server.onStream = (stream) => {
      const frames: string[] = []
      const collector = {
        query: stream.query,
        send: (event: string, data: object) => frames.push(`event:${event}\r\ndata:${JSON.stringify(data)}\r\n\r\n`),
      }
      server.greet(collector as unknown as FakeStream)
      for (const byte of Buffer.from(frames.join(''))) stream.raw(Buffer.of(byte))
    }
    const client = await open()
    expect(client.config.get('pageSize')).toBe(20)
  })

  it.each([
    ['data that is not JSON', 'event: view.delta\ndata: {"from"\n\n'],
    ['a frame without its members', 'event: view.delta\ndata: {"from":"1"}\n\n'],
    ['a revision that is no number', 'event: heartbeat\ndata: {"storeRevision":"12a"}\n\n'],
  ])('reconnects after %s', async (_title, garbage) => {
    const client = await open()
    server.stream.raw(garbage)
    await eventually(() => expect(client.diagnosticCounts.frame_invalid).toBe(1))
    await inStep(client)
    expect(server.streamRequests).toBe(2)
  })

  it('ignores events, members and item kinds of a newer server', async () => {
    const client = await open()
    server.stream.raw('event: weather\ndata: {"sunny":true}\n\n')
    server.revision = 2n
    const frame = server.delta('view', { 'weather/b': { sunny: true }, 'config/a': { pageSize: 21 } })
    server.stream.send('view.delta', { ...frame, moreToCome: 1 })
    await inStep(client)
    expect(server.streamRequests).toBe(1)
  })

  it('counts a service of an unknown form as missing and says so', async () => {
    const client = await open()
    server.publish({ 'service/b': { state: 'teleported' } })
    await eventually(() => expect(client.diagnosticCounts.item_invalid).toBe(1))
    expect(client.resolve('b').state).toBe('missing')
    expect(client.status.state).toBe('READY')
  })

  it('refuses a stream that does not begin with hello', async () => {
    server.onStream = (stream) => {
      server.onStream = undefined
      stream.send('heartbeat', { storeRevision: '1' })
    }
    const client = await open()
    await inStep(client)
    expect(client.diagnosticCounts.frame_invalid).toBe(1)
  })

  it('leaves a server that never sends the state', async () => {
    server.onStream = (stream) => {
      server.onStream = undefined
      stream.send('hello', server.hello())
      for (let beat = 0; beat < 5; beat += 1) stream.send('heartbeat', { storeRevision: '1' })
    }
    const client = await open()
    await inStep(client)
    expect(client.diagnosticCounts.frame_invalid).toBe(1)
  })

  it('reconnects after a goodbye and is STALE in between', async () => {
    const client = await open()
    const states: string[] = []
    client.onStateChange((now) => states.push(now.state))
    server.stream.send('goodbye', { reason: 'draining', reconnectWindowMs: 0 })
    await eventually(() => expect(states).toEqual(['STALE', 'READY']))
  })

  it('goes into ERROR when its tenant is deleted, keeps the last view, and comes back with the tenant', async () => {
    const client = await open()
    server.streamStatus = 404
    server.stream.send('goodbye', { reason: 'tenant_deleted', reconnectWindowMs: 0 })
    await eventually(() => expect(client.status.state).toBe('ERROR'))
    expect(client.config.get('pageSize')).toBe(20)
    server.streamStatus = undefined
    await inStep(client)
  })

  it.each([401, 403, 404])('is in ERROR with the server’s words after a %i, and goes on trying', async (status) => {
    server.streamStatus = status
    const client = await open()
    expect(client.status.state).toBe('ERROR')
    expect(client.status.reason).toContain(`CODE_${status}`)
    expect(client.status.reason).not.toContain('secret')
    server.streamStatus = undefined
    await inStep(client)
  })

  it.each([500, 503, 429])('treats a %i as an outage', async (status) => {
    server.streamStatus = status
    const client = await open({ readyTimeoutMs: 30 })
    expect(client.status.state).toBe('NOT_READY')
    server.streamStatus = undefined
    await inStep(client)
  })

  it('does not follow redirects', async () => {
    server.streamStatus = 302
    const client = await open({ readyTimeoutMs: 30 })
    expect(client.status.state).toBe('NOT_READY')
    expect(server.streams).toHaveLength(0)
    server.streamStatus = undefined
    await inStep(client)
  })

  it('refuses an answer that is not an event stream', async () => {
    server.streamStatus = 200
    const client = await open({ readyTimeoutMs: 30 })
    expect(client.status.state).toBe('NOT_READY')
    expect(client.diagnosticCounts.frame_invalid).toBeGreaterThan(0)
  })

  it('never has two streams at once', async () => {
    let most = 0
    server.onStream = (stream) => {
      most = Math.max(most, server.openStreams.length)
      server.greet(stream)
    }
    const client = await open()
    for (let round = 0; round < 10; round += 1) {
      server.stream.cut()
      await eventually(() => expect(server.streams).toHaveLength(round + 2))
    }
    await inStep(client)
    expect(most).toBe(1)
  })

  it('survives a restart of the server with changes meanwhile', async () => {
    const client = await open()
    await server.stop()
    await eventually(() => expect(client.status.state).toBe('STALE'))
    expect(client.config.get('pageSize')).toBe(20)
    server.publish({ 'config/a': { pageSize: 44 } })
    await server.start()
    await inStep(client)
    expect(client.config.get('pageSize')).toBe(44)
  })
})

describe('a server that is behind', () => {
  it('is left until it has caught up: the view never goes back in time', async () => {
    const client = await open()
    server.publish({ 'config/a': { pageSize: 21 } })
    await eventually(() => expect(client.appliedRevision).toBe('2'))
    const seen: unknown[] = []
    client.config.onChange('pageSize', (now) => void seen.push(now))
    server.items.view.set('config/a', { pageSize: 20 })
    server.revision = 1n
    server.probeRevision = 2n
    server.stream.cut()
    await eventually(() => expect(client.diagnosticCounts.server_behind).toBeGreaterThan(2))
    expect(client.status.state).toBe('STALE')
    expect(client.config.get('pageSize')).toBe(21)
    server.revision = 2n
    server.publish({ 'config/a': { pageSize: 22 } })
    await eventually(() => expect(client.config.get('pageSize')).toBe(22))
    expect(seen).toEqual([22])
    expect(client.diagnosticCounts.history_reset).toBeUndefined()
  })

  it('is left when a heartbeat shows it', async () => {
    const client = await open()
    server.revision = 9n
    server.heartbeat()
    await eventually(() => expect(client.appliedRevision).toBe('9'))
    server.stream.send('heartbeat', { storeRevision: '4' })
    await eventually(() => expect(client.diagnosticCounts.server_behind).toBe(1))
    await inStep(client)
    expect(client.appliedRevision).toBe('9')
  })

  it('is left when it sends an older snapshot after a newer hello', async () => {
    const client = await open()
    server.revision = 9n
    server.heartbeat()
    await eventually(() => expect(client.appliedRevision).toBe('9'))
    server.onStream = (stream) => {
      server.onStream = undefined
      stream.send('hello', server.hello())
      stream.send('view.snapshot', { ...server.snapshot('view'), storeRevision: '4' })
    }
    server.stream.cut()
    await eventually(() => expect(client.diagnosticCounts.server_behind).toBe(1))
    await inStep(client)
    expect(client.appliedRevision).toBe('9')
  })

  it('is believed when a linearizable read says that the history was reset', async () => {
    const client = await open()
    server.revision = 50n
    server.heartbeat()
    await eventually(() => expect(client.appliedRevision).toBe('50'))
    server.revision = 3n
    server.items.view.set('config/a', { pageSize: 7 })
    server.stream.cut()
    await inStep(client)
    expect(client.config.get('pageSize')).toBe(7)
    expect(client.diagnosticCounts.history_reset).toBe(1)
    server.publish({ 'config/a': { pageSize: 8 } })
    await inStep(client)
  })

  it('does not make changes disappear when the reset history has the same content', async () => {
    const client = await open()
    server.revision = 50n
    server.heartbeat()
    await eventually(() => expect(client.appliedRevision).toBe('50'))
    server.revision = 3n
    server.changedAt.view = 3n
    server.stream.cut()
    await eventually(() => expect(client.appliedRevision).toBe('3'))
    server.publish({ 'config/a': { pageSize: 8 } })
    await inStep(client)
    expect(client.config.get('pageSize')).toBe(8)
  })
})

function untilNext(ms: number): Promise<void> {
  const at = performance.now() + ms
  return eventually(() => expect(performance.now()).toBeGreaterThan(at))
}
