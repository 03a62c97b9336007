import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OidcConfig } from '../../domain/sign-in-config.js'
import type { SignInChecks } from '../../ports/identity-provider.js'
import { TestProvider } from './oidc-provider.test-support.js'
import { createOpenIdProvider } from './openid-provider.js'

const redirectUri = 'https://tributary.example/v1/session/oidc/callback'
const people = { jane: { name: 'Jane Doe', groups: ['dev'] } }
let provider: TestProvider

beforeEach(async () => {
  provider = await TestProvider.start({ redirectUri, people, clientSecret: 'shh' })
})

afterEach(() => provider.stop())

const configOf = (issuer: string): OidcConfig => ({
  issuer,
  clientId: 'tributary',
  clientSecretVariable: null,
  label: 'test',
  scopes: ['openid', 'profile', 'groups'],
  roleMinutes: 60,
  roles: { claim: 'groups', values: {}, otherwise: null },
})
const own = (clientSecret: string | undefined = 'shh') =>
  createOpenIdProvider({ config: configOf(provider.issuer), clientSecret, redirectUri })
const random = (): string => randomBytes(32).toString('base64url')
const newChecks = (): SignInChecks => ({ state: random(), nonce: random(), verifier: random() })
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: unknown) => (error instanceof AppError ? error.code : error),
  )

describe('a person at a real provider', () => {
  it('comes back as whom the provider knows, with the claims that were asked for', async () => {
    const checks = newChecks()
    const back = await provider.signIn(await own().begin(checks), 'jane')
    expect(`${back.origin}${back.pathname}`).toBe(redirectUri)
    expect(await own().finish(back.searchParams, checks)).toMatchObject({ claims: { sub: 'jane', ...people.jane } })
  })

  it('needs no client secret with a public client, since PKCE binds the code', async () => {
    await provider.stop()
    provider = await TestProvider.start({ redirectUri, people })
    const client = createOpenIdProvider({ config: configOf(provider.issuer), redirectUri })
    const checks = newChecks()
    const back = await provider.signIn(await client.begin(checks), 'jane')
    expect(await client.finish(back.searchParams, checks)).toMatchObject({ claims: { sub: 'jane' } })
  })

  it.each(['nonce', 'verifier', 'state'] as const)(
    'is nobody when the %s is not the one that was sent',
    async (check) => {
      const checks = newChecks()
      const back = await provider.signIn(await own().begin(checks), 'jane')
      const finished = own().finish(back.searchParams, { ...checks, [check]: random() })
      expect(await codeOf(finished)).toBe('OIDC_SIGN_IN_REFUSED')
    },
  )

  it('is nobody with a code that was used before', async () => {
    const checks = newChecks()
    const back = await provider.signIn(await own().begin(checks), 'jane')
    await own().finish(back.searchParams, checks)
    expect(await codeOf(own().finish(back.searchParams, checks))).toBe('OIDC_SIGN_IN_REFUSED')
  })

  it('is nobody when they decline', async () => {
    const checks = newChecks()
    const back = await provider.signIn(await own().begin(checks), 'jane', { decline: true })
    expect(await codeOf(own().finish(back.searchParams, checks))).toBe('OIDC_SIGN_IN_REFUSED')
  })

  it('is nobody when the client secret is wrong, and the secret stands in no error', async () => {
    const client = own('not-the-secret')
    const checks = newChecks()
    const back = await provider.signIn(await client.begin(checks), 'jane')
    const error: unknown = await client.finish(back.searchParams, checks).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'OIDC_SIGN_IN_REFUSED' })
    expect(String(error)).not.toContain('not-the-secret')
  })
})

describe('a person whom the provider is asked for again', () => {
  const signIn = async (issuer: string) => {
    const config = { ...configOf(issuer), scopes: ['openid', 'profile', 'groups', 'offline_access'] }
    const client = createOpenIdProvider({ config, clientSecret: 'shh', redirectUri })
    const checks = newChecks()
    const back = await provider.signIn(await client.begin(checks), 'jane')
    const { refreshToken = '' } = await client.finish(back.searchParams, checks)
    return { client, refreshToken }
  }

  it('cannot be asked for without the scope offline_access, which most providers want', async () => {
    const checks = newChecks()
    const back = await provider.signIn(await own().begin(checks), 'jane')
    expect(await own().finish(back.searchParams, checks)).not.toHaveProperty('refreshToken')
  })

  it('has the claims that they have now', async () => {
    const { client, refreshToken } = await signIn(provider.issuer)
    provider.people['jane'] = { name: 'Jane Roe', groups: ['visitors'] }
    expect(await client.refresh(refreshToken, 'jane')).toMatchObject({
      claims: { sub: 'jane', name: 'Jane Roe', groups: ['visitors'] },
    })
  })

  it('is nobody once the provider does not know them any more, or with a token that it never gave', async () => {
    const { client, refreshToken } = await signIn(provider.issuer)
    expect(await codeOf(client.refresh('made-up', 'jane'))).toBe('OIDC_SIGN_IN_REFUSED')
    delete provider.people['jane']
    expect(await codeOf(client.refresh(refreshToken, 'jane'))).toBe('OIDC_SIGN_IN_REFUSED')
  })

  it('is not somebody else', async () => {
    const { client, refreshToken } = await signIn(provider.issuer)
    expect(await codeOf(client.refresh(refreshToken, 'rita'))).toBe('OIDC_SIGN_IN_REFUSED')
  })

  it('is not refused because the provider is away', async () => {
    const { client, refreshToken } = await signIn(provider.issuer)
    await provider.stop()
    expect(await codeOf(client.refresh(refreshToken, 'jane'))).toBe('OIDC_PROVIDER_UNREACHABLE')
    provider = await TestProvider.start({ redirectUri, people })
  })
})

describe('a provider that is away', () => {
  it('is tried again at the next sign-in', async () => {
    const server = createServer((_request, response) => void response.writeHead(500).end('<h1>oops</h1>'))
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createOpenIdProvider({ config: configOf(issuer), redirectUri })
    expect(await codeOf(client.begin(newChecks()))).toBe('OIDC_PROVIDER_UNREACHABLE')
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(await codeOf(client.begin(newChecks()))).toBe('OIDC_PROVIDER_UNREACHABLE')
  })

  it('is no sign-in when it goes in the middle of one', async () => {
    const client = own()
    const checks = newChecks()
    const back = await provider.signIn(await client.begin(checks), 'jane')
    await provider.stop()
    expect(await codeOf(client.finish(back.searchParams, checks))).toBe('OIDC_PROVIDER_UNREACHABLE')
    provider = await TestProvider.start({ redirectUri, people })
  })

  it('is not believed when it says that it is another one', async () => {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ issuer: 'https://evil.example', authorization_endpoint: 'https://evil.example/a' }))
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = createOpenIdProvider({ config: configOf(issuer), redirectUri })
    expect(String(await codeOf(client.begin(newChecks())))).toMatch(/^OIDC_/)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})
