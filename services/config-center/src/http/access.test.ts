import { TOKEN_ROLES, type TokenRole } from '@tributary/contract'
import Fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { may, type Principal } from '../domain/access.js'
import { installAuthentication, type RouteAccess } from './plugins/authenticate.js'
import { codeOf, TestCenter } from './test-center.test-support.js'

interface Route {
  readonly method: (typeof METHODS)[number]
  readonly url: string
  readonly access: RouteAccess
}

const METHODS = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
const tokens = new Map<TokenRole, string>()
let center: TestCenter

beforeAll(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', {})
  await center.ok('PUT', '/v1/tenants/feature-x', {})
  for (const role of TOKEN_ROLES)
    tokens.set(role, await center.token(role, role === 'tenant' ? 'feature-x' : undefined))
})

afterAll(() => center.close())

/** Every route of the API, read from its own description, so that none can be forgotten. */
async function routes(): Promise<Route[]> {
  const { paths } = await center.ok<{ paths: Record<string, Record<string, { 'x-access': RouteAccess }>> }>(
    'GET',
    '/openapi.json',
  )
  return Object.entries(paths).flatMap(([path, operations]) =>
    METHODS.flatMap((method) => {
      const operation = operations[method.toLowerCase()]
      if (operation === undefined) return []
      return [{ method, url: path.replaceAll(/\{(\w+)\}/g, ':$1'), access: operation['x-access'] }]
    }),
  )
}

function concrete(url: string, tenant: string): string {
  return url.replace(':tenant', tenant).replaceAll(/:\w+/g, '0123456789abcdef')
}

describe('every route', () => {
  it('refuses requests without a token, with a malformed and with an unknown one, unless it is open', async () => {
    const unknown = `trb_0123456789abcdef_${'A'.repeat(43)}`
    for (const { method, url, access } of await routes()) {
      if (access === 'open') continue
      for (const token of [null, 'nonsense', unknown]) {
        const answer = await center.call(method, concrete(url, 'feature-x'), { token })
        expect([method, url, answer.status, codeOf(answer)]).toEqual([method, url, 401, 'UNAUTHENTICATED'])
        expect(answer.headers['www-authenticate']).toBe('Bearer')
      }
    }
  })

  it('refuses each role what the table of access does not allow, before it looks at anything else', async () => {
    for (const { method, url, access } of await routes()) {
      if (access === 'open' || access === 'authenticated') continue
      for (const role of TOKEN_ROLES) {
        const tenant = url.includes(':tenant') ? 'feature-x' : undefined
        const principal: Principal = {
          tokenId: '',
          name: '',
          role,
          ...(role === 'tenant' ? { tenant: 'feature-x' } : {}),
        }
        if (may(principal, access, tenant)) continue
        const answer = await center.call(method, concrete(url, 'feature-x'), { token: tokens.get(role) ?? null })
        expect([role, method, url, answer.status, codeOf(answer)]).toEqual([
          role,
          method,
          url,
          403,
          'PERMISSION_DENIED',
        ])
      }
    }
  })

  it('refuses a tenant token on every other tenant', async () => {
    const token = tokens.get('tenant') ?? null
    const ofTenants = (await routes()).filter(({ url }) => url.includes(':tenant'))
    expect(ofTenants.length).toBeGreaterThan(15)
    for (const { method, url } of ofTenants) {
      const answer = await center.call(method, concrete(url, 'integration'), { token })
      expect([method, url, answer.status, codeOf(answer)]).toEqual([method, url, 403, 'PERMISSION_DENIED'])
    }
  })

  it('is open only where nothing is told', async () => {
    const open = (await routes()).filter(({ access }) => access === 'open').map(({ url }) => url)
    expect(open).toEqual(['/healthz', '/readyz'])
  })

  it('must say who may call it, or the server does not start', () => {
    const app = Fastify()
    installAuthentication(app, center.center.context)
    expect(() => app.get('/x', async () => ({}))).toThrow('GET /x does not say who may call it')
  })
})

describe('allowed requests', () => {
  it('pass for each role', async () => {
    const rows: readonly (readonly [TokenRole, 'GET' | 'PUT', string, unknown])[] = [
      ['viewer', 'GET', '/v1/tenants', undefined],
      ['viewer', 'GET', '/v1/tenants/feature-x/view', undefined],
      ['deployer', 'PUT', '/v1/tenants/feature-y', {}],
      ['tenant', 'GET', '/v1/tenants/feature-x/view', undefined],
      ['tenant', 'GET', '/v1/tenants/feature-x/routes', undefined],
      ['tenant', 'PUT', '/v1/tenants/feature-x/entries/orders/instances/i1', { spec: { endpoints: [] } }],
      ['tenant', 'GET', '/v1/tokens/self', undefined],
    ]
    for (const [role, method, url, body] of rows) {
      const answer = await center.call(method, url, {
        token: tokens.get(role) ?? null,
        ...(body === undefined ? {} : { body }),
      })
      expect([role, url, answer.status]).toEqual([role, url, 200])
    }
  })

  it('take no account of the routing context', async () => {
    const headers = { baggage: 'tributary-tenant=integration' }
    const answer = await center.call('GET', '/v1/tenants/integration/view', {
      token: tokens.get('tenant') ?? null,
      headers,
    })
    expect(answer.status).toBe(403)
  })
})
