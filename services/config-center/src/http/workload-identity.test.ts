import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeWorkloadIdentity } from '../testing/fake-workload-identity.test-support.js'
import { StreamClient } from '../testing/stream-client.test-support.js'
import { codeOf, TestCenter } from './test-center.test-support.js'

let identity: FakeWorkloadIdentity
let center: TestCenter
let url: string

beforeEach(async () => {
  identity = new FakeWorkloadIdentity()
  center = await TestCenter.start({ workloadIdentity: identity })
  await center.ok('PUT', '/v1/tenants/integration', {})
  await center.ok('PUT', '/v1/tenants/feature-x', {})
  url = await center.center.app.listen({ host: '127.0.0.1', port: 0 })
})

afterEach(() => center.close())

async function follow(token: string): Promise<StreamClient> {
  const client = new StreamClient({ tenant: 'feature-x', token })
  await client.connect(url)
  return client
}

describe('a pod', () => {
  it('reads its own tenant’s view, and no other', async () => {
    const token = identity.add('feature-x')
    expect((await center.call('GET', '/v1/tenants/feature-x/view', { token })).status).toBe(200)
    const other = await center.call('GET', '/v1/tenants/integration/view', { token })
    expect([other.status, codeOf(other)]).toEqual([403, 'PERMISSION_DENIED'])
    expect((await center.call('PUT', '/v1/tenants/feature-x', { token, body: {} })).status).toBe(403)
  })

  it('is told who it is', async () => {
    const token = identity.add('feature-x', { expiresAt: 60_000 })
    const { body } = await center.call('GET', '/v1/tokens/self', { token })
    expect(body).toEqual({
      tokenId: 'pod-feature-x',
      name: 'pod of feature-x',
      role: 'tenant',
      tenant: 'feature-x',
      createdAt: '1970-01-01T00:00:00.000Z',
      expiresAt: '1970-01-01T00:01:00.000Z',
    })
  })

  it('gets 503 with Retry-After while the platform cannot be asked', async () => {
    const token = identity.add('feature-x')
    identity.isDown = true
    const answer = await center.call('GET', '/v1/tenants/feature-x/view', { token })
    expect([answer.status, codeOf(answer), answer.headers['retry-after']]).toEqual([
      503,
      'WORKLOAD_IDENTITY_UNAVAILABLE',
      '1',
    ])
    expect((await center.call('GET', '/v1/tenants/feature-x/view')).status).toBe(200)
  })

  it('loses its stream when its namespace goes', async () => {
    const client = await follow(identity.add('feature-x'))
    const kept = await follow(center.adminToken)
    identity.removeSpace('feature-x')
    await client.until(() => client.ended === 1)
    expect([client.goodbye, kept.goodbye]).toEqual(['token_revoked', undefined])
    kept.cut()
  })

  it('is asked to come back when its token has expired', async () => {
    const client = await follow(identity.add('feature-x', { expiresAt: Date.now() + 500 }))
    await client.until(() => client.ended === 1)
    expect(client.goodbye).toBe('token_expired')
  })

  it('is counted by what came of the question', async () => {
    await center.call('GET', '/v1/tenants/feature-x/view', { token: identity.add('feature-x') })
    await center.call('GET', '/v1/tenants/feature-x/view', { token: 'w.unknown.x' })
    await eventually(async () => {
      const { payload } = await center.center.app.inject({
        url: '/metrics',
        headers: { authorization: `Bearer ${center.adminToken}` },
      })
      expect(payload).toMatch(/workload_reviews_total\{result="accepted"\} 1\n/)
      expect(payload).toMatch(/workload_reviews_total\{result="refused"\} 1\n/)
    })
  })
})

describe('another role', () => {
  it('is what the platform’s own accounts get', async () => {
    const times = { issuedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER }
    identity.workloads.set('w.viewer.0', { workloadId: 'pod-1', name: 'gateway', role: 'viewer', ...times })
    expect((await center.call('GET', '/v1/tenants', { token: 'w.viewer.0' })).status).toBe(200)
    expect((await center.call('PUT', '/v1/tenants/y', { token: 'w.viewer.0', body: {} })).status).toBe(403)
  })
})
