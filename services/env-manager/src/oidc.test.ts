import { SessionState } from '@tributary/contract'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestProvider } from './adapters/oidc/oidc-provider.test-support.js'
import { createOpenIdProvider } from './adapters/oidc/openid-provider.js'
import { signInWithDefaults } from './domain/sign-in-config.js'
import { TestApp } from './test-app.test-support.js'

const publicUrl = 'https://tributary.example'
const redirectUri = `${publicUrl}/v1/session/oidc/callback`
const people = {
  jane: { name: 'Jane Doe', groups: ['dev', 'all'] },
  rita: { name: 'Rita', groups: ['release'] },
  paul: { name: 'Paul', groups: ['visitors'] },
}
let provider: TestProvider
let server: TestApp
let nowMs: number

const ROLE_MINUTES = 60

beforeEach(async () => {
  provider = await TestProvider.start({ redirectUri, people })
  server = await openServer(['profile', 'groups'])
  nowMs = Date.now()
  server.bench.now = () => nowMs
})

/** The server, which asks the provider for these scopes. */
async function openServer(scopes: string[]): Promise<TestApp> {
  const signIn = signInWithDefaults({
    publicUrl,
    oidc: {
      issuer: provider.issuer,
      clientId: 'tributary',
      label: 'Example',
      scopes,
      roleMinutes: ROLE_MINUTES,
      roles: { claim: 'groups', values: { dev: 'developer', release: 'release-manager', all: 'viewer' } },
    },
  })
  const { oidc } = signIn
  if (oidc === null) throw new Error('no provider')
  return TestApp.open({ signIn }, { identityProvider: createOpenIdProvider({ config: oidc, redirectUri }) })
}

afterEach(async () => {
  await server.close()
  await provider.stop()
})

async function begin(returnTo?: string): Promise<{ url: URL; cookie: string }> {
  const query = returnTo === undefined ? '' : `?returnTo=${encodeURIComponent(returnTo)}`
  const answer = await server.call('GET', `/v1/session/oidc${query}`)
  expect(answer.status).toBe(302)
  return { url: new URL(String(answer.headers['location'])), cookie: answer.cookies[0] ?? '' }
}

/** Comes back to us with what the provider says. */
const comeBack = (back: URL, cookie: string) => server.call('GET', `${back.pathname}${back.search}`, { cookie })

async function signIn(login: string, returnTo?: string) {
  const { url, cookie } = await begin(returnTo)
  const back = await provider.signIn(url, login)
  const answer = await comeBack(back, cookie)
  const session = answer.cookies.find((one) => one.startsWith('__Host-tributary-session='))
  return { answer, back, pending: cookie, session: session ?? '' }
}

async function stateOf(cookie: string): Promise<SessionState> {
  return Value.Parse(SessionState, (await server.call('GET', '/v1/session', { cookie })).json)
}

describe('signing in at a provider', () => {
  it('is offered to whoever is not signed in', async () => {
    expect((await stateOf('')).signIn.oidc).toEqual({ label: 'Example', path: '/v1/session/oidc' })
  })

  it('makes a session of the person’s name and role, in a cookie of this host alone, and goes back to where they were', async () => {
    const { answer, session } = await signIn('jane', '/console/#/environments/feature-x')
    expect([answer.status, answer.headers['location']]).toEqual([302, '/console/#/environments/feature-x'])
    expect(String(answer.headers['set-cookie'])).toMatch(
      /__Host-tributary-session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax/,
    )
    expect((await stateOf(session)).session).toMatchObject({ name: 'Jane Doe', role: 'developer', by: 'oidc' })
    expect(answer.headers['strict-transport-security']).toContain('max-age')
  })

  it('lets a developer change feature environments, and says which role integration needs', async () => {
    const { session } = await signIn('jane')
    const csrf = (await stateOf(session)).session?.csrf ?? ''
    const pin = (name: string) =>
      server.call('PATCH', `/v1/environments/${name}`, { cookie: session, csrf, body: { pinned: true } })
    expect((await pin('feature-x')).status).toBe(200)
    const refused = await pin('integration')
    expect([refused.status, refused.json]).toMatchObject([
      403,
      { error: { details: { neededRole: 'release-manager' } } },
    ])
  })

  it('leaves no code of the provider in the log', async () => {
    const { oidc } = server.bench.running.config.signIn
    if (oidc === null) throw new Error('no provider')
    let log = ''
    const logger = { level: 'info', stream: { write: (line: string) => void (log += line) } }
    const identityProvider = createOpenIdProvider({ config: oidc, redirectUri })
    const app = await server.build({ identityProvider, logger })
    await server.call('GET', '/v1/session/oidc/callback?code=hunter2&state=unknown', {}, app)
    await app.close()
    expect(log).toContain('signing in failed')
    expect(log).not.toContain('hunter2')
  })

  it('stands in the audit log with the person’s name', async () => {
    await signIn('rita')
    const { json } = await server.call('GET', '/v1/audit', { token: 'view' })
    expect(json).toMatchObject({
      records: [
        { action: 'session.sign-in', actor: { name: 'Rita', role: 'release-manager', by: 'oidc', subject: 'rita' } },
      ],
    })
  })
})

describe('what is no sign-in', () => {
  const failed = (answer: Awaited<ReturnType<typeof comeBack>>): unknown => {
    expect(answer.cookies.filter((one) => one.includes('tributary-session'))).toEqual([])
    return answer.headers['location']
  }

  it('a person whose claims give no role', async () => {
    expect(failed((await signIn('paul')).answer)).toBe('/console/?signInError=OIDC_ROLE_MISSING')
  })

  it('a state that another browser has begun', async () => {
    const mine = await begin()
    const back = await provider.signIn((await begin()).url, 'jane')
    expect(failed(await comeBack(back, mine.cookie))).toBe('/console/?signInError=OIDC_STATE_INVALID')
  })

  it('an answer without the cookie of this browser, or with one that was changed', async () => {
    const { url, cookie } = await begin()
    const back = await provider.signIn(url, 'jane')
    for (const other of ['', '__Host-tributary-sign-in=x', `${cookie.slice(0, -4)}AAAA`]) {
      expect(failed(await comeBack(back, other))).toBe('/console/?signInError=OIDC_STATE_INVALID')
    }
  })

  it('an answer after more than ten minutes', async () => {
    const { url, cookie } = await begin()
    const back = await provider.signIn(url, 'jane')
    nowMs += 600_001
    expect(failed(await comeBack(back, cookie))).toBe('/console/?signInError=OIDC_STATE_INVALID')
  })

  it('a code that was used before', async () => {
    const { back, pending } = await signIn('jane')
    expect(failed(await comeBack(back, pending))).toBe('/console/?signInError=OIDC_SIGN_IN_REFUSED')
  })

  it('a code that somebody made up, or none', async () => {
    const { url, cookie } = await begin()
    const state = url.searchParams.get('state') ?? ''
    for (const query of [`code=made-up&state=${state}&iss=${encodeURIComponent(provider.issuer)}`, `state=${state}`]) {
      const back = new URL(`${redirectUri}?${query}`)
      expect(failed(await comeBack(back, cookie))).toBe('/console/?signInError=OIDC_SIGN_IN_REFUSED')
    }
  })

  it('a person who declines', async () => {
    const { url, cookie } = await begin()
    const back = await provider.signIn(url, 'jane', { decline: true })
    expect(failed(await comeBack(back, cookie))).toBe('/console/?signInError=OIDC_SIGN_IN_REFUSED')
  })

  it('one while the provider is away; a token still does', async () => {
    const away = new URL((await begin()).url)
    expect(away.origin).toBe(provider.issuer)
    await provider.stop()
    const { cookie, url } = await begin()
    const back = new URL(
      `${redirectUri}?code=x&state=${url.searchParams.get('state')}&iss=${encodeURIComponent(provider.issuer)}`,
    )
    expect(failed(await comeBack(back, cookie))).toBe('/console/?signInError=OIDC_PROVIDER_UNREACHABLE')
    expect((await server.call('POST', '/v1/session', { body: { token: 'view' } })).status).toBe(200)
    provider = await TestProvider.start({ redirectUri, people })
  })
})

describe('where a sign-in leads', () => {
  it.each([
    'https://evil.example/console/',
    '//evil.example',
    '/\\evil.example',
    '/console/../v1/session',
    'javascript:alert(1)',
  ])('is never %s', async (returnTo) => {
    expect((await signIn('jane', returnTo)).answer.headers['location']).toBe('/console/')
  })
})

describe('the session of a person', () => {
  const read = (cookie: string) => server.call('GET', '/v1/environments', { cookie })

  it('outlives a provider that goes away', async () => {
    const { session } = await signIn('jane')
    await provider.stop()
    expect((await read(session)).status).toBe(200)
    provider = await TestProvider.start({ redirectUri, people })
  })

  it('ends with the role’s time when the provider cannot be asked again', async () => {
    const { session } = await signIn('jane')
    nowMs += ROLE_MINUTES * 60_000 - 1
    expect((await read(session)).status).toBe(200)
    nowMs += 1
    expect((await read(session)).code).toBe('SESSION_OVER')
  })

  it('ends when the configuration names no provider any more', async () => {
    const { session } = await signIn('jane')
    const without = await server.build()
    expect((await server.call('GET', '/v1/environments', { cookie: session }, without)).code).toBe('SESSION_OVER')
    await without.close()
  })
})

describe('the role of a person whom the provider can be asked for again', () => {
  const read = (cookie: string) => server.call('GET', '/v1/environments', { cookie })
  const roleOf = async (cookie: string) => (await stateOf(cookie)).session?.role
  let session: string

  beforeEach(async () => {
    await server.close()
    server = await openServer(['profile', 'groups', 'offline_access'])
    server.bench.now = () => nowMs
    session = (await signIn('jane')).session
  })

  it('is what the provider says an hour later, as is the name', async () => {
    provider.people['jane'] = { name: 'Jane Roe', groups: ['release'] }
    nowMs += ROLE_MINUTES * 60_000 - 1
    expect(await roleOf(session)).toBe('developer')
    nowMs += 1
    expect((await stateOf(session)).session).toMatchObject({ name: 'Jane Roe', role: 'release-manager' })
  })

  it('stays the same for as long as the provider says so, until the day is over', async () => {
    for (let hour = 1; hour < 24; hour += 1) {
      nowMs += ROLE_MINUTES * 60_000
      expect(await roleOf(session)).toBe('developer')
    }
    nowMs += ROLE_MINUTES * 60_000
    expect((await read(session)).code).toBe('SESSION_OVER')
  })

  it.each([
    ['gives them no role any more', () => (provider.people['jane'] = { name: 'Jane Doe', groups: ['visitors'] })],
    ['does not know them any more', () => delete provider.people['jane']],
  ])('ends with the session when the provider %s, also for the next request', async (_what, change) => {
    change()
    nowMs += ROLE_MINUTES * 60_000
    expect((await read(session)).code).toBe('SESSION_OVER')
    provider.people['jane'] = people.jane
    expect((await read(session)).code).toBe('SESSION_OVER')
  })

  it('is asked for once by requests that come together: the provider takes a refresh token only once', async () => {
    nowMs += ROLE_MINUTES * 60_000
    const answers = await Promise.all(Array.from({ length: 5 }, () => read(session)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    nowMs += ROLE_MINUTES * 60_000
    expect((await read(session)).status).toBe(200)
  })

  it('holds for another hour while the provider is away, and then nothing does until it answers', async () => {
    await provider.stop()
    nowMs += ROLE_MINUTES * 60_000
    expect(await roleOf(session)).toBe('developer')
    nowMs += ROLE_MINUTES * 60_000
    const refused = await read(session)
    expect([refused.status, refused.code]).toEqual([503, 'OIDC_PROVIDER_UNREACHABLE'])
    expect((await server.call('GET', '/v1/environments', { token: 'view' })).status).toBe(200)
    provider = await TestProvider.start({ redirectUri, people })
  })

  it('is asked for with a token that nobody who reads the store can use', async () => {
    const { entries } = await server.bench.store.range({ select: { prefix: 'em/session/' } })
    const sealed = entries.map(({ value }) => (JSON.parse(value) as { subject: Record<string, string> }).subject)
    expect(sealed).toMatchObject([{ subject: 'jane', sealedRefreshToken: expect.stringMatching(/^[\w-]{60,}$/) }])
    expect(Object.keys(sealed[0] ?? {}).sort()).toEqual(
      ['by', 'name', 'role', 'roleCheckedAt', 'sealedRefreshToken', 'subject'].sort(),
    )
  })
})
