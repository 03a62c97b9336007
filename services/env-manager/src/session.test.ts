import { SessionState, type AuditRecord } from '@tributary/contract'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConfigCenterAuthentication } from './adapters/config-center/caller-authentication.js'
import { TestApp, type TestAnswer } from './test-app.test-support.js'

let server: TestApp
let nowMs: number

beforeEach(async () => {
  server = await TestApp.open()
  nowMs = Date.now()
  server.bench.now = () => nowMs
})

afterEach(() => server.close())

const stateOf = ({ json }: TestAnswer): SessionState => Value.Parse(SessionState, json)

async function signIn(token: string): Promise<{ cookie: string; csrf: string; answer: TestAnswer }> {
  const answer = await server.call('POST', '/v1/session', { body: { token } })
  return { answer, cookie: answer.cookies[0] ?? '', csrf: stateOf(answer).session?.csrf ?? '' }
}

const pin = (given: object) => server.call('PATCH', '/v1/environments/feature-x', { ...given, body: { pinned: true } })

describe('signing in with a token', () => {
  it('says how one can sign in to whoever is not', async () => {
    const answer = await server.call('GET', '/v1/session')
    expect([answer.status, stateOf(answer)]).toEqual([200, { session: null, signIn: { token: true, oidc: null } }])
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('makes a session of the token’s name and role, in a cookie that no script reads', async () => {
    const { answer } = await signIn('dep')
    expect(stateOf(answer).session).toMatchObject({ name: 'deployer token', role: 'release-manager', by: 'token' })
    expect(String(answer.headers['set-cookie'])).toMatch(
      /^tributary-session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    )
  })

  it.each(['no\npe', 'no\u0100pe'])('takes %j for no token, and not for an outage', async (token) => {
    const callers = createConfigCenterAuthentication('http://127.0.0.1:9')
    const app = await server.build({ callers })
    const answer = await server.call('POST', '/v1/session', { body: { token } }, app)
    expect([answer.status, answer.code]).toEqual([401, 'TOKEN_INVALID'])
    await app.close()
  })

  it.each(['nope', 'ten'])('refuses the token %s and sets no cookie', async (token) => {
    const answer = await server.call('POST', '/v1/session', { body: { token } })
    expect([answer.status >= 400, answer.cookies]).toEqual([true, []])
  })

  it('takes no form of another site', async () => {
    const headers = { 'content-type': 'text/plain' }
    const answer = await server.call('POST', '/v1/session', { headers, body: '{"token":"dep"}' })
    expect([answer.status, answer.cookies]).toEqual([400, []])
  })

  it('lets the session read and, with its CSRF value, write', async () => {
    const { cookie, csrf } = await signIn('dep')
    expect((await server.call('GET', '/v1/environments', { cookie })).status).toBe(200)
    expect((await pin({ cookie, csrf })).status).toBe(200)
    expect(stateOf(await server.call('GET', '/v1/session', { cookie })).session?.csrf).toBe(csrf)
  })

  it('keeps neither the secret nor the token where the store’s reader could use them', async () => {
    const { cookie } = await signIn('dep')
    const { entries } = await server.bench.store.range({ select: { prefix: 'em/session/' } })
    const kept = JSON.stringify(entries.map(({ key, value }) => [key, value]))
    expect(entries).toHaveLength(1)
    expect(kept).not.toContain(cookie.split('=')[1])
    expect(kept).not.toContain('"dep"')
  })
})

describe('a write by cookie', () => {
  it.each([
    ['no CSRF value', undefined],
    ['a wrong one', 'x'.repeat(43)],
    ['an empty one', ''],
  ])('is refused with %s', async (_what, csrf) => {
    const { cookie } = await signIn('adm')
    const answer = await pin({ cookie, ...(csrf === undefined ? {} : { csrf }) })
    expect([answer.status, answer.code]).toEqual([403, 'CSRF_INVALID'])
    expect((await server.bench.record('feature-x'))?.pinned).toBe(false)
  })

  it('is refused with the CSRF value of another session', async () => {
    const [mine, other] = [await signIn('adm'), await signIn('adm')]
    expect((await pin({ cookie: mine.cookie, csrf: other.csrf })).code).toBe('CSRF_INVALID')
  })

  it('needs no CSRF value with a bearer token, whatever cookie comes along', async () => {
    const { cookie } = await signIn('view')
    expect((await pin({ token: 'dep', cookie })).status).toBe(200)
  })

  it('is refused to a viewer with the role that it needs', async () => {
    const { cookie, csrf } = await signIn('view')
    const answer = await pin({ cookie, csrf })
    expect([answer.status, answer.code]).toEqual([403, 'ROLE_NOT_ALLOWED'])
    expect(answer.json).toMatchObject({ error: { details: { role: 'viewer', neededRole: 'developer' } } })
  })
})

describe('a session', () => {
  const read = (cookie: string) => server.call('GET', '/v1/environments', { cookie })

  it('ends when somebody signs out, which needs the CSRF value too', async () => {
    const { cookie, csrf } = await signIn('view')
    expect((await server.call('DELETE', '/v1/session', { cookie })).code).toBe('CSRF_INVALID')
    const left = await server.call('DELETE', '/v1/session', { cookie, csrf })
    expect([left.status, left.cookies]).toEqual([200, ['tributary-session=']])
    expect((await read(cookie)).code).toBe('SESSION_OVER')
  })

  it('ends when it is not used for long, and lives as long as it is used', async () => {
    const { cookie } = await signIn('view')
    for (let hour = 0; hour < 12; hour += 4) {
      nowMs += 4 * 3_600_000
      expect((await read(cookie)).status).toBe(200)
    }
    nowMs += 8 * 3_600_000
    const over = await read(cookie)
    expect([over.status, over.code]).toEqual([401, 'SESSION_OVER'])
  })

  it('ends after a day, used or not', async () => {
    const { cookie } = await signIn('view')
    for (let passed = 0; passed < 20; passed += 4) {
      nowMs += 4 * 3_600_000
      expect((await read(cookie)).status).toBe(200)
    }
    nowMs += 4 * 3_600_000
    expect((await read(cookie)).code).toBe('SESSION_OVER')
    const { entries } = await server.bench.store.range({ select: { prefix: 'em/session/' } })
    expect(entries).toEqual([])
  })

  it('ends with its token', async () => {
    const { cookie } = await signIn('view')
    expect((await read(cookie)).status).toBe(200)
    server.tokens.delete('view')
    const next = await server.build()
    expect((await server.call('GET', '/v1/environments', { cookie }, next)).code).toBe('SESSION_OVER')
    await next.close()
  })

  it('holds at the next leader', async () => {
    const { cookie, csrf } = await signIn('dep')
    const next = await server.build()
    expect((await server.call('GET', '/v1/environments', { cookie }, next)).status).toBe(200)
    const body = { pinned: true }
    expect((await server.call('PATCH', '/v1/environments/feature-x', { cookie, csrf, body }, next)).status).toBe(200)
    await next.close()
  })

  it.each(['x', 'a'.repeat(43), `${'a'.repeat(42)}/`])('is none with the made-up secret %s', async (secret) => {
    expect((await read(`tributary-session=${secret}`)).code).toBe('SESSION_OVER')
  })

  it('ends when its owner begins more than twenty others; nobody else’s does', async () => {
    const [first, other] = [await signIn('dep'), await signIn('view')]
    nowMs += 1
    for (let nth = 0; nth < 20; nth += 1) await signIn('dep')
    expect((await read(first.cookie)).code).toBe('SESSION_OVER')
    expect((await read(other.cookie)).status).toBe(200)
    const { entries } = await server.bench.store.range({ select: { prefix: 'em/session/' } })
    expect(entries).toHaveLength(21)
  })

  it('forgets others that are over when one begins', async () => {
    await signIn('view')
    nowMs += 25 * 3_600_000
    await signIn('view')
    const { entries } = await server.bench.store.range({ select: { prefix: 'em/session/' } })
    expect(entries).toHaveLength(1)
  })
})

describe('the audit log', () => {
  it('cannot be washed out by who is refused again and again', async () => {
    await pin({ token: 'dep' })
    nowMs += 1
    for (let nth = 0; nth < 60; nth += 1) expect((await pin({ token: 'view' })).status).toBe(403)
    const kept = await records('?limit=500')
    expect(kept.filter(({ outcome }) => outcome === 'refused')).toHaveLength(20)
    expect(kept.at(-1)).toMatchObject({ actor: { name: 'deployer token' }, outcome: 'accepted' })
  })

  const records = async (query = ''): Promise<AuditRecord[]> =>
    ((await server.call('GET', `/v1/audit${query}`, { token: 'view' })).json as { records: AuditRecord[] }).records

  it('tells who asked for what, by which way, from where, and what was refused; newest first', async () => {
    const { cookie, csrf } = await signIn('dep')
    nowMs += 1
    await pin({ cookie, csrf })
    nowMs += 1
    await pin({ token: 'view' })
    expect((await records()).slice(0, 2)).toMatchObject([
      {
        action: 'environment.patch',
        environment: 'feature-x',
        outcome: 'refused',
        status: 403,
        actor: { by: 'bearer', role: 'viewer', subject: 'view' },
      },
      {
        action: 'environment.patch',
        outcome: 'accepted',
        actor: { name: 'deployer token', by: 'token', subject: 'dep' },
        address: '127.0.0.1',
      },
    ])
    expect((await records('?environment=none')).length).toBe(0)
  })

  it('is paged, and shown to whoever may read', async () => {
    for (let count = 0; count < 3; count += 1) {
      nowMs += 1
      await pin({ token: 'dep' })
    }
    const first = await records('?limit=2')
    const second = await records(`?limit=2&before=${first[1]?.auditId}`)
    expect([first.length, second.length]).toEqual([2, 1])
    expect((await server.call('GET', '/v1/audit')).code).toBe('TOKEN_MISSING')
  })
})
