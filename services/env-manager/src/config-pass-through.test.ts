import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ON_BEHALF_OF_HEADER, parseOnBehalfOf } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConfigPassThrough } from './adapters/config-center/pass-through.js'
import { signInWithDefaults } from './domain/sign-in-config.js'
import { beginSession } from './operations/sessions/sessions.js'
import { eventually } from './reconcile/test-bench.test-support.js'
import { TestApp } from './test-app.test-support.js'

interface Seen {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Sessions of people are begun without it here; it is never asked. */
const signIn = signInWithDefaults({
  publicUrl: 'http://127.0.0.1:7401',
  oidc: { issuer: 'https://id.example', clientId: 'tributary', roles: { claim: 'groups', values: {} } },
})
const asked = (): never => {
  throw new Error('the provider was asked')
}
const identityProvider = { begin: asked, finish: asked, refresh: asked }

let center: Server
let server: TestApp
let seen: Seen[]
let open: Set<ServerResponse>

/** Answers like the config center would, and remembers what it was asked. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString()
    seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
    if (request.url?.includes('/stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'set-cookie': 'a=b' })
      response.write('event: hello\ndata: {}\n\n')
      open.add(response)
      response.once('close', () => open.delete(response))
      return
    }
    if (request.headers['if-none-match'] === 'W/"1"') {
      response.writeHead(304, { etag: 'W/"1"' })
      response.end()
      return
    }
    const conflict = request.url?.includes('conflict')
    response.writeHead(conflict ? 409 : 200, { 'content-type': 'application/json', etag: 'W/"1"', 'set-cookie': 'a=b' })
    response.end(conflict ? '{"error":{"code":"REVISION_CONFLICT","kind":"conflict"}}' : '{"ok":true}')
  })
}

beforeEach(async () => {
  seen = []
  open = new Set()
  center = createServer(answer)
  await new Promise<void>((resolve) => center.listen(0, '127.0.0.1', resolve))
  const { port } = center.address() as AddressInfo
  server = await TestApp.open(
    { signIn },
    {
      configPassThrough: createConfigPassThrough({ url: `http://127.0.0.1:${port}`, token: 'own-token' }),
      identityProvider,
    },
  )
})

afterEach(async () => {
  await server.close()
  center.closeAllConnections()
  await new Promise((resolve) => center.close(resolve))
})

/** Somebody whom a provider vouches for. */
async function person(role: 'viewer' | 'developer' | 'release-manager', name = 'Jane Doe') {
  const { store, config, clock } = server.bench.running
  const vouchedFor = { by: 'oidc', name, subject: name, role, refreshToken: 'r' } as const
  const { secret, session } = await beginSession({ store, clock, limits: config.signIn }, vouchedFor)
  return { cookie: `tributary-session=${secret}`, csrf: session.csrf }
}

describe('what a bearer asks of the config center', () => {
  it('is passed on as it is, with the caller’s own token', async () => {
    const body = { data: [1] }
    const headers = { 'if-none-match': '"x"', 'x-tributary-on-behalf-of': 'somebody-else', cookie: 'secret=1' }
    const given = { token: 'dep', body, headers }
    const got = await server.call('PUT', '/v1/config/tenants/integration/documents/a?expectedRevision=7', given)
    expect([got.status, got.text, got.headers['etag']]).toEqual([200, '{"ok":true}', 'W/"1"'])
    expect(got.cookies).toEqual([])
    const [one] = seen
    expect([one?.line, one?.body]).toEqual([
      'PUT /v1/tenants/integration/documents/a?expectedRevision=7',
      JSON.stringify(body),
    ])
    expect(one?.headers).toMatchObject({ authorization: 'Bearer dep', 'if-none-match': '"x"' })
    expect([one?.headers.cookie, one?.headers[ON_BEHALF_OF_HEADER]]).toEqual([undefined, undefined])
  })

  it('tells a browser that what it has is not modified', async () => {
    const headers = { 'if-none-match': 'W/"1"' }
    const got = await server.call('GET', '/v1/config/tenants/integration/view', { token: 'view', headers })
    expect([got.status, got.text, got.headers['etag']]).toEqual([304, '', 'W/"1"'])
  })

  it('is answered with the config center’s own errors', async () => {
    const got = await server.call('GET', '/v1/config/conflict', { token: 'view' })
    expect([got.status, got.json]).toEqual([409, { error: { code: 'REVISION_CONFLICT', kind: 'conflict' } }])
  })

  it('needs a good token', async () => {
    expect((await server.call('GET', '/v1/config/tenants')).code).toBe('TOKEN_MISSING')
    expect((await server.call('GET', '/v1/config/tenants', { token: 'nope' })).code).toBe('TOKEN_INVALID')
    expect(seen).toEqual([])
  })

  it('is bounded', async () => {
    const got = await server.call('POST', '/v1/config/transactions', {
      token: 'dep',
      body: { x: 'x'.repeat(1_100_000) },
    })
    expect([got.status, got.code, seen]).toEqual([400, 'BODY_TOO_LARGE', []])
  })

  it('fails with a retryable error while the config center is away', async () => {
    const away = await server.build()
    const got = await server.call('GET', '/v1/config/tenants', { token: 'view' }, away)
    expect([got.status, got.code, got.headers['retry-after']]).toEqual([503, 'CONFIG_CENTER_UNREACHABLE', '1'])
    await away.close()
  })
})

describe('what a person asks of the config center', () => {
  it('is asked with the env-manager’s token, in the person’s name', async () => {
    const jane = await person('developer', '王小明')
    const got = await server.call('PUT', '/v1/config/tenants/feature-x/documents/orders', { ...jane, body: { a: 1 } })
    expect(got.status).toBe(200)
    expect(seen[0]?.headers.authorization).toBe('Bearer own-token')
    expect(parseOnBehalfOf(String(seen[0]?.headers[ON_BEHALF_OF_HEADER]))).toBe('王小明 (王小明)')
  })

  it.each([
    ['PUT', '/v1/config/tenants/integration/documents/a', {}],
    ['PUT', '/v1/config/tenants/nobody-knows/documents/a', {}],
    ['POST', '/v1/config/transactions', { changes: [{ tenant: 'feature-x' }, { tenant: 'integration' }] }],
    ['DELETE', '/v1/config/tokens/abc', undefined],
    ['GET', '/v1/config/tokens', undefined],
  ] as const)('is refused to a developer beyond feature environments: %s %s', async (method, url, body) => {
    const given = { ...(await person('developer')), ...(body === undefined ? {} : { body }) }
    const got = await server.call(method, url, given)
    expect([got.status, got.code, seen]).toEqual([403, 'ROLE_NOT_ALLOWED', []])
  })

  it.each([
    '/v1/config/tenants/feature-x/../integration/documents/a',
    '/v1/config/tenants/feature-x/%2e%2e/integration/documents/a',
    '/v1/config/../../metrics',
  ])('cannot be one thing for the check and another for the config center: %s', async (path) => {
    const { cookie, csrf } = await person('release-manager')
    const url = new URL(await server.app.listen({ host: '127.0.0.1', port: 0 }))
    // The path must reach the server as it stands here: fetch and inject would put it into its normal form.
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { cookie, 'x-tributary-csrf': csrf }
      const request = httpRequest({ host: url.hostname, port: url.port, path, method: 'PUT', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      request.once('error', reject).end()
    })
    expect([status, seen]).toEqual([400, []])
  })

  it('needs the CSRF value to write, and none to read', async () => {
    const { cookie } = await person('release-manager')
    const url = '/v1/config/tenants/integration/documents/a'
    expect((await server.call('PUT', url, { cookie, body: {} })).code).toBe('CSRF_INVALID')
    expect((await server.call('GET', url, { cookie })).status).toBe(200)
  })

  it('has the rights of the token that the session was made with', async () => {
    const signedIn = await server.call('POST', '/v1/session', { body: { token: 'dep' } })
    await server.call('GET', '/v1/config/tenants', { cookie: signedIn.cookies[0] ?? '' })
    expect(seen[0]?.headers).toMatchObject({ authorization: 'Bearer dep' })
  })
})

describe('a stream of the config center', () => {
  it('is passed on as it comes, and ends with its client', async () => {
    const baseUrl = await server.app.listen({ host: '127.0.0.1', port: 0 })
    const client = new AbortController()
    const response = await fetch(`${baseUrl}/v1/config/tenants/integration/stream`, {
      headers: { authorization: 'Bearer view' },
      signal: client.signal,
    })
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe('event: hello\ndata: {}\n\n')
    for (const one of open) one.write('event: next\ndata: {}\n\n')
    const second = await reader?.read()
    expect(Buffer.from(second?.value ?? []).toString()).toContain('event: next')
    client.abort()
    await eventually(
      () => open.size,
      (size) => size === 0,
    )
  })

  it('ends with the server', async () => {
    const baseUrl = await server.app.listen({ host: '127.0.0.1', port: 0 })
    const headers = { authorization: 'Bearer view' }
    const response = await fetch(`${baseUrl}/v1/config/tenants/integration/stream`, { headers })
    expect(response.status).toBe(200)
    await server.app.close()
    await expect(response.text()).rejects.toThrow()
    await eventually(
      () => open.size,
      (size) => size === 0,
    )
  })
})
