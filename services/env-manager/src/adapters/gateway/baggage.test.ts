import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { enterTenant } from './baggage.js'

describe('enterTenant', () => {
  test.each([
    [undefined, 'tributary-tenant=feature-x'],
    ['', 'tributary-tenant=feature-x'],
    ['user=1,session=2;ttl=3', 'tributary-tenant=feature-x,user=1,session=2;ttl=3'],
    ['tributary-tenant=evil', 'tributary-tenant=feature-x'],
    ['a=1, tributary-tenant = evil ;p=1 ,b=2', 'tributary-tenant=feature-x,a=1,b=2'],
    ['Tributary-Tenant=evil,tributary-tenant;x', 'tributary-tenant=feature-x'],
    ['tributary-tenant-x=kept', 'tributary-tenant=feature-x,tributary-tenant-x=kept'],
    [',,;,', 'tributary-tenant=feature-x,;'],
  ])('turns %j into %j', (incoming, expected) => {
    expect(enterTenant(incoming, 'feature-x')).toBe(expected)
  })

  test('always has exactly one tenant, within the bounds of the standard', () => {
    const member = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.constantFrom('tributary-tenant=a', 'TRIBUTARY-TENANT =b;c', 'x=1'),
    )
    fc.assert(
      fc.property(fc.array(member, { maxLength: 100 }), (members) => {
        const header = enterTenant(members.join(','), 'feature-x')
        const tenants = header.split(',').filter((text) => /^\s*tributary-tenant\s*([=;]|$)/i.test(text))
        expect(tenants).toEqual(['tributary-tenant=feature-x'])
        expect(header.split(',').length).toBeLessThanOrEqual(64)
        expect(Buffer.byteLength(header)).toBeLessThanOrEqual(8192)
      }),
    )
  })
})
