import { eventually } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WorkloadIdentity } from '../../ports/workload-identity.js'
import { FakeApiServer } from './fake-api-server.test-support.js'
import { createKubernetesWorkloadIdentity } from './kubernetes-workload-identity.js'

const IN_AN_HOUR = Math.floor(Date.now() / 1_000) + 3_600

let api: FakeApiServer
let identity: WorkloadIdentity
let gone: string[]

beforeEach(async () => {
  api = new FakeApiServer()
  await api.start()
  api.put('feature-x', labels('feature-x'))
  gone = []
  identity = createKubernetesWorkloadIdentity({
    api: api.address,
    instance: 'main',
    audience: 'tributary',
    roles: new Map([['platform/default', 'deployer']]),
    random: () => 0,
  })
  identity.onSpaceGone((space) => gone.push(space))
})

afterEach(async () => {
  await identity.close()
  await api.close()
})

function labels(environment: string, instance = 'main'): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/managed-by': 'tributary',
    'tributary.dev/instance': instance,
    'tributary.dev/environment': environment,
  }
}

/** A token of a pod, as the API server would have made it. */
function tokenOf(namespace: string, name: string, claims: object = {}): string {
  const payload = { iat: IN_AN_HOUR - 3_600, exp: IN_AN_HOUR, aud: ['tributary'], sub: name, ...claims }
  const token = `eyJ9.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.sig`
  api.tokens.set(token, { namespace, name })
  return token
}

async function watching(): Promise<void> {
  identity.start()
  await eventually(() => expect(api.watches.size).toBe(1))
}

describe('a pod’s token', () => {
  it('makes its namespace the tenant', async () => {
    expect(await identity.review(tokenOf('feature-x', 'orders-1'))).toEqual({
      kind: 'workload',
      workload: {
        workloadId: 'pod-uid-of-orders-1',
        name: 'pod orders-1 of feature-x',
        role: 'tenant',
        tenant: 'feature-x',
        space: 'feature-x',
        issuedAt: (IN_AN_HOUR - 3_600) * 1_000,
        expiresAt: IN_AN_HOUR * 1_000,
      },
    })
  })

  it('has the role that its account was given, without a tenant', async () => {
    const verdict = await identity.review(tokenOf('platform', 'env-manager-1'))
    expect(verdict).toMatchObject({
      kind: 'workload',
      workload: { role: 'deployer', name: 'pod env-manager-1 of platform' },
    })
    expect(verdict).not.toHaveProperty('workload.tenant')
  })

  it.each([
    ['another instance’s', labels('feature-y', 'other')],
    ['no environment’s', { 'tributary.dev/instance': 'main' }],
    ['labelled as another environment', labels('feature-x')],
    ['gone', undefined],
  ])('is refused when its namespace is %s', async (_, given) => {
    api.put('feature-y', given)
    expect(await identity.review(tokenOf('feature-y', 'p'))).toEqual({
      kind: 'refused',
      reason: 'the namespace feature-y bears no labels of an environment of the instance main',
    })
  })

  it('is refused without asking when it says itself that it is for others, or old', async () => {
    const foreign = await identity.review(tokenOf('feature-x', 'p', { aud: ['https://kubernetes.default.svc'] }))
    const old = await identity.review(tokenOf('feature-x', 'p', { exp: 1 }))
    expect([foreign, old]).toMatchObject([
      { reason: expect.stringContaining('not for the audience tributary') },
      { reason: expect.stringContaining('expired') },
    ])
    expect(api.reviewed).toEqual([])
  })

  it('is refused when it is bound to no pod, or accepted for no audience', async () => {
    api.extra = () => ({})
    expect(await identity.review(tokenOf('feature-x', 'p'))).toEqual({
      kind: 'refused',
      reason: 'it is not bound to a pod',
    })
    api.audiences = []
    expect(await identity.review(tokenOf('feature-x', 'p'))).toMatchObject({ kind: 'refused' })
  })

  it('is refused when the API server does not know it', async () => {
    const token = tokenOf('feature-x', 'p')
    api.tokens.clear()
    expect(await identity.review(token)).toMatchObject({ kind: 'refused' })
  })

  it('is told from our own tokens by its form', () => {
    expect(identity.recognizes(tokenOf('feature-x', 'p'))).toBe(true)
    expect(identity.recognizes(`trb_0123456789abcdef_${'A'.repeat(43)}`)).toBe(false)
  })
})

describe('an API server', () => {
  it('that is down, fails, or forbids the question, lets nobody in', async () => {
    const token = tokenOf('feature-x', 'p')
    for (const [status, advice] of [
      [500, 'answered with 500'],
      [403, 'allow our ServiceAccount to create tokenreviews'],
    ] as const) {
      api.status = status
      await expect(identity.review(token)).rejects.toMatchObject({
        code: 'WORKLOAD_IDENTITY_UNAVAILABLE',
        message: expect.stringContaining(advice),
      })
    }
    await api.stop()
    await expect(identity.review(token)).rejects.toMatchObject({ code: 'WORKLOAD_IDENTITY_UNAVAILABLE' })
    api.status = undefined
    await api.start()
    expect((await identity.review(token)).kind).toBe('workload')
  })

  it('that has a new token for us is asked with it', async () => {
    const token = tokenOf('feature-x', 'p')
    await identity.review(token)
    await api.rotate('second')
    expect((await identity.review(token)).kind).toBe('workload')
  })

  it('is asked about a namespace that is watched no more than once', async () => {
    await watching()
    const lists = api.lists
    for (const name of ['a', 'b', 'c']) await identity.review(tokenOf('feature-x', name))
    expect(api.lists).toBe(lists)
  })
})

describe('a namespace', () => {
  it('that is deleted, or loses a label, is told', async () => {
    api.put('feature-y', labels('feature-y'))
    await watching()
    api.put('feature-x', undefined)
    api.put('feature-y', { 'tributary.dev/environment': 'feature-y' })
    await eventually(() => expect(gone).toEqual(['feature-x', 'feature-y']))
  })

  it('that is labelled as another environment, or as none, is told, and is no tenant from then on', async () => {
    api.put('feature-y', labels('feature-y'))
    await watching()
    const token = tokenOf('feature-x', 'p')
    expect((await identity.review(token)).kind).toBe('workload')
    api.put('feature-x', labels('integration'))
    api.put('feature-y', { 'app.kubernetes.io/managed-by': 'tributary', 'tributary.dev/instance': 'main' })
    await eventually(() => expect(gone).toEqual(['feature-x', 'feature-y']))
    expect((await identity.review(token)).kind).toBe('refused')
  })

  it('that went while nobody watched is told after the next list', async () => {
    await watching()
    await api.stop()
    api.namespaces.delete('feature-x')
    await api.start()
    await eventually(() => expect(gone).toEqual(['feature-x']))
  })

  it('that went after the history that the watch knows was forgotten is told', async () => {
    await watching()
    api.namespaces.delete('feature-x')
    api.tell({ type: 'ERROR', object: { code: 410 } })
    await eventually(() => expect(gone).toEqual(['feature-x']))
  })

  it('that is newer than the watch’s list is found, and its end is told', async () => {
    await watching()
    api.status = 500
    api.cutWatches()
    api.namespaces.set('feature-new', labels('feature-new'))
    api.status = undefined
    expect((await identity.review(tokenOf('feature-new', 'p'))).kind).toBe('workload')
    await eventually(() => expect(api.watches.size).toBe(1))
    api.put('feature-new', undefined)
    await eventually(() => expect(gone).toEqual(['feature-new']))
  })

  it('is seen through a bookmark and an end of the watch without a word', async () => {
    await watching()
    api.tell({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } })
    api.cutWatches()
    await eventually(() => expect(api.watches.size).toBe(1))
    expect(gone).toEqual([])
    api.put('feature-x', undefined)
    await eventually(() => expect(gone).toEqual(['feature-x']))
  })
})
