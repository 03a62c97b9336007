import { SessionState } from '@tributary/contract'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { TestApp } from './test-app.test-support.js'

let server: TestApp
let nowMs: number

beforeEach(async () => {
  server = await TestApp.open()
  nowMs = Date.now()
  server.bench.now = () => nowMs
})

afterEach(() => server.close())

it('tells whoever brings the cookie of a session that is over how to sign in, and takes the cookie away', async () => {
  const begun = await server.call('POST', '/v1/session', { body: { token: 'view' } })
  const cookie = begun.cookies[0] ?? ''
  nowMs += 8 * 3_600_000
  expect((await server.call('GET', '/v1/environments', { cookie })).code).toBe('SESSION_OVER')
  const asked = await server.call('GET', '/v1/session', { cookie })
  expect([asked.status, Value.Parse(SessionState, asked.json).session]).toEqual([200, null])
  expect(asked.cookies).toEqual(['tributary-session='])
})

it('says to whoever brings a token that is none that it is none', async () => {
  const asked = await server.call('GET', '/v1/session', { token: 'nope' })
  expect([asked.status, asked.code]).toEqual([401, 'TOKEN_INVALID'])
})
