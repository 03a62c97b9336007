import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProcessWorld, SHOP, type Tenants } from './messaging-world.test-support.js'

const decide = (process: string, service: string, tenant?: string) =>
  new ProcessWorld(process).hold(SHOP).messages.decide(service, tenant)

describe('who takes a message', () => {
  it.each([
    ['integration', undefined, 'take'],
    ['integration', 'integration', 'take'],
    ['integration', 'feature-y', 'take'],
    ['integration', 'feature-x', 'leave to feature-x'],
    ['integration', 'stacked', 'leave to feature-x'],
    ['integration', 'deleted', 'take'],
    ['feature-x', undefined, 'leave to integration'],
    ['feature-x', 'integration', 'leave to integration'],
    ['feature-x', 'feature-x', 'take'],
    ['feature-x', 'stacked', 'take'],
    ['feature-x', 'feature-y', 'leave to integration'],
    ['feature-x', 'deleted', 'leave to integration'],
  ])('a consumer of orders in %s, of a message of %s: %s', (process, tenant, expected) => {
    const decision = decide(process, 'orders', tenant)
    expect(decision.action === 'leave' ? `leave to ${decision.owner}` : decision.action).toBe(expected)
  })

  it('is nobody for a masked service: the baseline parks it, the others leave it to the baseline', () => {
    for (const tenant of ['feature-x', 'stacked']) {
      expect(decide('integration', 'mail', tenant)).toEqual({ action: 'park', reason: 'mail is masked by feature-x' })
      expect(decide('feature-x', 'mail', tenant)).toMatchObject({ action: 'leave', owner: 'integration' })
    }
  })

  it('is the baseline for a service that nobody has registered yet', () => {
    expect(decide('integration', 'new', 'feature-x').action).toBe('take')
    expect(decide('feature-x', 'new', 'feature-x')).toMatchObject({ action: 'leave', owner: 'integration' })
  })

  it('waits before a route table is held, rather than taking what is another’s', () => {
    expect(new ProcessWorld('integration').messages.decide('orders', 'feature-x').action).toBe('wait')
    expect(new ProcessWorld('feature-x').messages.decide('orders', 'feature-x').action).toBe('wait')
  })

  it('changes hands when an environment comes and goes', () => {
    const baseline = new ProcessWorld('integration')
    const withoutX: Tenants = { integration: SHOP['integration'] ?? { base: null, services: {} } }
    const actions = [withoutX, SHOP, withoutX].map(
      (tenants) => baseline.hold(tenants).messages.decide('orders', 'feature-x').action,
    )
    expect(actions).toEqual(['take', 'leave', 'take'])
  })

  it('names the tenant to work for, and none for one that is gone', () => {
    expect(decide('integration', 'orders', 'feature-y')).toMatchObject({ action: 'take', tenant: 'feature-y' })
    expect(decide('integration', 'orders', 'deleted')).toMatchObject({ action: 'take', tenant: undefined })
  })

  it('is exactly one tenant, and all others name it, whatever tenants there are', () => {
    const names = ['integration', 'a', 'b', 'c', 'd']
    const kind = fc.constantFrom<('own' | 'masked' | undefined)[]>('own', 'masked', undefined)
    const world = fc.record({
      bases: fc.array(fc.nat(4), { minLength: 5, maxLength: 5 }),
      kinds: fc.array(kind, { minLength: 5, maxLength: 5 }),
    })
    fc.assert(
      fc.property(world, fc.constantFrom(...names, 'deleted', undefined), ({ bases, kinds }, messageTenant) => {
        const tenants: Tenants = Object.fromEntries(
          names.map((name, index) => {
            const base = index === 0 ? null : (names[(bases[index] ?? 0) % index] ?? null)
            const own = kinds[index]
            return [name, { base, services: own === undefined ? {} : { orders: own } }]
          }),
        )
        const decisions = names.map((name) => ({
          name,
          decision: new ProcessWorld(name).hold(tenants).messages.decide('orders', messageTenant),
        }))
        const takers = decisions.filter(({ decision }) => decision.action === 'take' || decision.action === 'park')
        expect(takers).toHaveLength(1)
        for (const { decision } of decisions) {
          if (decision.action === 'leave') expect(decision.owner).toBe(takers[0]?.name)
          else expect(decision.action).not.toBe('wait')
        }
      }),
    )
  })
})
