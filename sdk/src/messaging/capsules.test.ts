import { createContextKey } from '@tributary/contract/context-token'
import { describe, expect, it } from 'vitest'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import { CONTEXT_KEY, ProcessWorld, SHOP } from './messaging-world.test-support.js'

const open = (tenant = 'integration', contextKey = CONTEXT_KEY): ProcessWorld =>
  new ProcessWorld(tenant, { contextKey }).hold(SHOP)

describe('a capsule', () => {
  it('brings the tenant back in another process of the tree', () => {
    const capsule = runWithTenant('feature-x', () => open().capsules.capture())
    const restored = open().capsules.restore(capsule)
    expect(restored).toMatchObject({ state: 'live', tenant: 'feature-x' })
    if (restored.state !== 'live') throw new Error('not live')
    expect(restored.run(currentContext)).toMatchObject({ tenant: 'feature-x', origin: 'request' })
  })

  it('is of the own tenant in a feature environment, and of nobody at the baseline, also when it runs amid a request', () => {
    expect(open().capsules.restore(open('feature-x').capsules.capture())).toMatchObject({ tenant: 'feature-x' })
    const restored = open().capsules.restore(open().capsules.capture())
    if (restored.state !== 'live') throw new Error('not live')
    expect(restored.tenant).toBeUndefined()
    expect(runWithTenant('feature-y', () => restored.run(currentContext)).tenant).toBeUndefined()
  })

  it('says that its environment is gone', () => {
    const capsule = runWithTenant('feature-x', () => open().capsules.capture())
    const world = open().hold({ integration: { base: null, services: {} } })
    expect(world.capsules.restore(capsule)).toMatchObject({ state: 'gone', tenant: 'feature-x' })
  })

  it('says that nobody can tell yet, when no table is held', () => {
    const capsule = runWithTenant('feature-x', () => open().capsules.capture())
    expect(new ProcessWorld('integration').capsules.restore(capsule).state).toBe('unknown')
  })

  it('expires', () => {
    const world = open()
    const capsule = runWithTenant('feature-x', () => world.capsules.capture({ expiresInSeconds: 10 }))
    world.nowMs += 70_000
    expect(world.capsules.restore(capsule).state).toBe('live')
    world.nowMs += 1
    expect(world.capsules.restore(capsule)).toMatchObject({ state: 'expired', tenant: 'feature-x' })
  })

  it('is forged when it is foreign, made up, or a callback’s token', () => {
    const foreign = open('integration', createContextKey()).capsules.capture()
    const url = runWithTenant('feature-x', () => open().callbacks.urlFor('orders', '/'))
    const token = /tributary-callback\/([^/]+)/.exec(url)?.[1] ?? ''
    for (const text of [foreign, '', 'feature-x', token]) {
      expect(open().capsules.restore(text).state, text).toBe('forged')
    }
  })

  it.each([0, -1, 1.5, Number.NaN, 1e12])('is not made for %d seconds', (expiresInSeconds) => {
    expect(() => open().capsules.capture({ expiresInSeconds })).toThrow('expiresInSeconds')
  })

  it('needs a key', () => {
    const { capsules } = open('integration', 'none')
    for (const attempt of [() => capsules.capture(), () => capsules.restore('x')]) {
      expect(attempt).toThrowError(expect.objectContaining({ code: 'SDK_CONTEXT_KEY_MISSING' }))
    }
  })
})
