import { describe, expect, it } from 'vitest'
import { currentContext, runWithTenant } from '../context/routing-context.js'
import { ProcessWorld, SHOP } from './messaging-world.test-support.js'

const baseline = (): ProcessWorld => new ProcessWorld('integration').hold(SHOP)
const feature = (): ProcessWorld => new ProcessWorld('feature-x').hold(SHOP)

describe('the baggage of a message that is sent', () => {
  it('names the tenant of the request', () => {
    expect(runWithTenant('feature-y', () => baseline().messages.baggage())).toBe('tributary-tenant=feature-y')
  })

  it('names the own tenant in a feature environment, and nobody at the baseline', () => {
    expect(feature().messages.baggage()).toBe('tributary-tenant=feature-x')
    expect(baseline().messages.baggage()).toBeUndefined()
  })

  it('keeps the members that the message has, and does not change whose it is', () => {
    const { messages } = baseline()
    runWithTenant('feature-y', () => {
      expect(messages.baggage('user=7;p=1')).toBe('tributary-tenant=feature-y,user=7;p=1')
      expect(messages.baggage('user=7,tributary-tenant=stacked')).toBe('user=7,tributary-tenant=stacked')
    })
    expect(messages.baggage('user=7')).toBe('user=7')
  })
})

describe('a message that came in', () => {
  it('runs in its context, with the members of others', () => {
    const { decision, run } = baseline().messages.receive('orders', 'user=7,tributary-tenant=feature-y')
    expect(decision).toMatchObject({ action: 'take', tenant: 'feature-y' })
    const seen = run(currentContext)
    expect(seen).toMatchObject({ tenant: 'feature-y', origin: 'request' })
    expect(seen.baggage.map(({ text }) => text)).toEqual(['user=7'])
  })

  it.each([
    ['no header', undefined],
    ['a tenant that is gone', 'tributary-tenant=deleted'],
    ['a tenant that cannot be', 'tributary-tenant=UP%0d%0aX'],
    ['two tenants', 'tributary-tenant=feature-x,tributary-tenant=feature-y'],
    ['nonsense', ',,;==\u0000'],
  ])('is the baseline’s with %s, and a feature environment leaves it', (_title, header) => {
    const { decision, run } = baseline().messages.receive('orders', header)
    expect(decision).toMatchObject({ action: 'take', tenant: undefined })
    expect(runWithTenant('stacked', () => run(currentContext)).tenant).toBeUndefined()
    expect(feature().messages.receive('orders', header).decision).toMatchObject({ action: 'leave' })
  })

  it('waits when no table is held', () => {
    const { decision } = new ProcessWorld('integration').messages.receive('orders', 'tributary-tenant=feature-x')
    expect(decision.action).toBe('wait')
  })
})
