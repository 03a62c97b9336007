import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from './reconcile/test-bench.test-support.js'
import { TestApp } from './test-app.test-support.js'
import { EventHub } from './watch/event-hub.js'

let server: TestApp
let baseUrl: string
let leaving: AbortController

beforeEach(async () => {
  leaving = new AbortController()
  server = await TestApp.open({}, { events: new EventHub(), recheckMs: 10 })
  baseUrl = await server.app.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(async () => {
  leaving.abort()
  await server.close()
})

/** Reads events until they end. */
async function follow(headers: Record<string, string>): Promise<{ ended: boolean }> {
  const state = { ended: false }
  const { body } = await fetch(`${baseUrl}/v1/events`, { headers, signal: leaving.signal })
  const drained = (async () => {
    for await (const chunk of body ?? []) void chunk
  })()
  drained.catch(() => undefined).finally(() => (state.ended = true))
  return state
}

const isOver = (stream: { readonly ended: boolean }): Promise<unknown> =>
  eventually(
    () => stream.ended,
    (ended) => ended,
  )

describe('a stream', () => {
  it('ends when who reads it signs out, and goes on for others', async () => {
    const signedIn = await server.call('POST', '/v1/session', { body: { token: 'dep' } })
    const cookie = signedIn.cookies[0] ?? ''
    const { session } = signedIn.json as { session: { csrf: string } }
    const [own, other] = [await follow({ cookie }), await follow({ authorization: 'Bearer view' })]
    await server.call('DELETE', '/v1/session', { cookie, csrf: session.csrf })
    await isOver(own)
    expect(other.ended).toBe(false)
  })

  it('ends when the session is too old', async () => {
    let nowMs = Date.now()
    server.bench.now = () => nowMs
    const cookie = (await server.call('POST', '/v1/session', { body: { token: 'view' } })).cookies[0] ?? ''
    const own = await follow({ cookie })
    nowMs += server.bench.running.config.signIn.idleMinutes * 60_000
    await isOver(own)
  })
})
