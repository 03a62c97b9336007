import type { ChangeEvent } from '@tributary/contract'
import { AppError, SseParser, type SseEvent } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './reconcile/test-bench.test-support.js'
import { TestApp } from './test-app.test-support.js'
import { EventHub } from './watch/event-hub.js'
import { followConfig } from './watch/follow-config.js'
import { followStore } from './watch/follow-store.js'

let server: TestApp
let hub: EventHub
let baseUrl: string
let stopping: AbortController
let following: Promise<unknown>

beforeEach(async () => {
  hub = new EventHub()
  stopping = new AbortController()
  server = await TestApp.open({}, { events: hub })
  const { store, clock, configCenter } = server.bench.running
  const options = { hub, clock, signal: stopping.signal, retry: { initialMs: 1, maxMs: 5 } }
  following = Promise.all([followStore(store, options), followConfig(configCenter, options)])
  baseUrl = await server.app.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  stopping.abort()
  await following
  await server.close()
})

class Client {
  readonly events: SseEvent[] = []
  readonly #leaving = new AbortController()
  ended = false

  async open(lastEventId?: string, token = 'view'): Promise<number> {
    const headers = {
      authorization: `Bearer ${token}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    }
    const response = await fetch(`${baseUrl}/v1/events`, { headers, signal: this.#leaving.signal })
    const parser = new SseParser()
    void (async () => {
      try {
        for await (const chunk of response.body ?? []) this.events.push(...parser.push(chunk as Uint8Array))
      } catch {
        // Cut by the test.
      }
      this.ended = true
    })()
    return response.status
  }

  leave(): void {
    this.#leaving.abort()
  }

  get told(): string[] {
    return this.events.map(({ event, data }) => {
      const { name, reason } = JSON.parse(data) as Partial<ChangeEvent> & { readonly reason?: string }
      return `${event} ${name ?? reason}`
    })
  }

  until(told: string): Promise<unknown> {
    return eventually(
      () => this.told,
      (all) => all.includes(told),
    )
  }
}

describe('GET /v1/events', () => {
  it('tells what changes in the store and in the config center, and resumes where it was cut off', async () => {
    const client = new Client()
    expect(await client.open()).toBe(200)
    await client.until('reset connected')
    await server.call('PATCH', '/v1/environments/feature-x', { token: 'dep', body: { pinned: true } })
    await client.until('environment feature-x')
    await client.until('platform audit')
    server.bench.center.setDocument('integration', 'orders', { size: 1 })
    await client.until('config integration')
    const { id } = client.events.at(-1) ?? {}
    client.leave()

    server.bench.git.commit('shop', 'feature/x', { 'orders/a': '3' })
    await server.bench.settle()
    const again = new Client()
    await again.open(id)
    await again.until('environment feature-x')
    expect(again.told).not.toContain('reset connected')
    const run = again.events.find(({ event }) => event === 'run')
    expect(JSON.parse(run?.data ?? '{}')).toMatchObject({ environment: 'feature-x', gone: false })
    again.leave()
  })

  it('says what is gone', async () => {
    const client = new Client()
    await client.open()
    await server.call('DELETE', '/v1/environments/feature-x', { token: 'dep' })
    await eventually(
      () => client.events.map(({ data }) => JSON.parse(data) as ChangeEvent),
      (events) => events.some(({ kind, name, gone }) => kind === 'environment' && name === 'feature-x' && gone),
    )
    client.leave()
  })

  it('has everything read again after the config center was away', async () => {
    const client = new Client()
    await client.open()
    const { center } = server.bench
    center.setDocument('integration', 'orders', { size: 0 })
    await client.until('config integration')
    center.outage = new AppError({ kind: 'unavailable', code: 'SERVER_UNREACHABLE', message: 'down' })
    center.setDocument('integration', 'orders', { size: 1 })
    center.setDocument('integration', 'orders', { size: 2 })
    await client.until('platform config-center')
    center.outage = undefined
    await client.until('reset history_gone')
    center.setDocument('feature-x', 'orders', { size: 3 })
    await client.until('config feature-x')
    client.leave()
  })

  it('is for whoever may read', async () => {
    expect(await new Client().open(undefined, 'ten')).toBe(403)
    expect(await new Client().open(undefined, 'nope')).toBe(401)
  })

  it('ends with the server and with the client', async () => {
    const [stays, leaves] = [new Client(), new Client()]
    await stays.open()
    await leaves.open()
    leaves.leave()
    await eventually(
      () => hub.size,
      (size) => size === 1,
    )
    await server.app.close()
    await eventually(
      () => [stays.ended, hub.size],
      ([ended, size]) => ended === true && size === 0,
    )
  })
})
