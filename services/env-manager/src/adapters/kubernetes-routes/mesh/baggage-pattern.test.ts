import { setFlagsFromString } from 'node:v8'
import { parseBaggage, TENANT_MEMBER } from '@tributary/sdk'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { baggagePatternOf } from './baggage-pattern.js'

/** The tenant of a header by the SDK's parser and rule: all well-formed members of the key, however it is written, must name the same. */
function tenantOf(header: string): string | undefined {
  const named = parseBaggage(header).members.filter(({ key }) => key.toLowerCase() === TENANT_MEMBER)
  const [first] = named
  if (first === undefined || named.some(({ key, value }) => key !== TENANT_MEMBER || value !== first.value))
    return undefined
  return first.value
}

const matches = (tenant: string, header: string): boolean => new RegExp(baggagePatternOf(tenant)).test(header)

const tenantName = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$/)
const space = fc.constantFrom('', '', ' ', '\t', ' \t')

/** A value that is the tenant's, or nearly so. `how` says which characters are percent-encoded, and with which letters. */
type Value = (tenant: string, how: number) => string

const exact: Value = (tenant, how) =>
  Array.from(tenant)
    .map((character, index) => {
      const hex = `%${character.charCodeAt(0).toString(16)}`
      return [character, character, hex, hex.toUpperCase()][(how >> (2 * (index % 15))) % 4] ?? character
    })
    .join('')
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Value>(exact) },
  fc.constantFrom<Value>(
    (tenant) => `${tenant}x`,
    (tenant) => tenant.slice(1),
    (tenant) => tenant.toUpperCase(),
    (tenant) => `${tenant} x`,
    (tenant) => `"${tenant}"`,
  ),
  fc.constantFrom('', 'other', 'a\\b', 'ä', '%zz', 'a=b').map(
    (text): Value =>
      () =>
        text,
  ),
  fc.string({ maxLength: 4 }).map(
    (text): Value =>
      () =>
        text,
  ),
)
/** Keys that are the tenant's or nearly so. */
const key = fc.oneof(
  { weight: 4, arbitrary: fc.constant(TENANT_MEMBER) },
  fc.constantFrom(
    'Tributary-Tenant',
    'tributary-tenants',
    'tributary-tenan',
    'x-tributary-tenant',
    'tributary_tenant',
    'a',
    '',
  ),
)
const properties = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  fc.constantFrom(';', ';p', '; p = 1 ;q', ';\u0001', ';ü', `;${TENANT_MEMBER}=other`, ';"'),
)
const member = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.tuple(space, key, space),
        fc.constantFrom('=', '=', '=', '', '=='),
        space,
        value,
        fc.nat(),
        properties,
        space,
      )
      .map(([start, equals, gap, valueOf, how, rest, end]) => (tenant: string) => {
        return `${start.join('')}${equals}${gap}${valueOf(tenant, how)}${rest}${end}`
      }),
  },
  fc.string({ maxLength: 6 }).map((text) => () => text),
)
const headerWith = fc
  .tuple(tenantName, fc.array(member, { maxLength: 4 }))
  .map(([tenant, members]) => [tenant, members.map((write) => write(tenant)).join(',')] as const)

describe('baggagePatternOf', () => {
  it.each([
    ['tributary-tenant=feature-x', true],
    ['a=1,tributary-tenant=feature-x,b=2', true],
    [' tributary-tenant \t=\tfeature-x ; ttl=30 , b=2', true],
    ['tributary-tenant=feature%2Dx', true],
    ['tributary-tenant=%66eature%2dx', true],
    ['tributary-tenant=feature-x,tributary-tenant=feature-x;again', true],
    ['tributary-tenant=feature-x,tributary-tenant="not a member"', true],
    ['', false],
    ['tributary-tenant=feature-x2', false],
    ['tributary-tenant=feature', false],
    ['tributary-tenant=xfeature-x', false],
    ['a=tributary-tenant=feature-x', false],
    ['a=1;tributary-tenant=feature-x', false],
    ['x-tributary-tenant=feature-x', false],
    ['Tributary-Tenant=feature-x', false],
    ['tributary-tenant=feature-x,tributary-tenant=other', false],
    ['tributary-tenant=,tributary-tenant=feature-x', false],
    ['TRIBUTARY-TENANT=other,tributary-tenant=feature-x', false],
  ])('of feature-x matches %j: %s', (header, expected) => {
    expect([matches('feature-x', header), tenantOf(header) === 'feature-x']).toEqual([expected, expected])
  })

  it('matches exactly the headers from which the SDK reads the tenant', () => {
    let matched = 0
    fc.assert(
      fc.property(headerWith, ([tenant, header]) => {
        const expected = tenantOf(header) === tenant
        if (expected) matched += 1
        expect(matches(tenant, header)).toBe(expected)
      }),
      { numRuns: 1_000 },
    )
    // A property that held because nothing ever matched would say nothing.
    expect(matched).toBeGreaterThan(100)
  })

  it('matches exactly the same among headers of any characters', () => {
    const pieces = fc.constantFrom(
      TENANT_MEMBER,
      'feature-x',
      '=',
      ',',
      ';',
      ' ',
      '\t',
      '"',
      '\\',
      'T',
      'x',
      '%2D',
      '\n',
      'é',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const header = parts.join('')
        expect(matches('feature-x', header)).toBe(tenantOf(header) === 'feature-x')
      }),
      { numRuns: 2_000 },
    )
  })

  it('never lets one tenant’s requests match another’s pattern', () => {
    fc.assert(
      fc.property(headerWith, tenantName, ([tenant, header], other) => {
        fc.pre(tenant !== other)
        expect(matches(tenant, header) && matches(other, header)).toBe(false)
      }),
    )
  })

  it('is short enough for the Gateway API, for the longest name too', () => {
    for (const name of ['a', 'z'.repeat(40), '-'.repeat(40)]) expect(baggagePatternOf(name).length).toBeLessThan(4_096)
  })

  it('asks for nothing that engines without backtracking lack, and none reads as set arithmetic in brackets', () => {
    const pattern = baggagePatternOf('feature-add-button-42')
    expect(pattern).not.toMatch(/\(\?[^:]|\\[1-9dDbBwWsSpP]|&&|--|~~|\[\[/)
    // V8's engine of linear time refuses what is not regular; it stands for RE2 here.
    setFlagsFromString('--enable-experimental-regexp-engine')
    const linear = 'l'
    expect(new RegExp(pattern, linear).test('a=1, tributary-tenant = feature-add%2Dbutton-42 ;p')).toBe(true)
  })
})
