import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findOrigins, type OriginLayer } from './origins.js'

const layer = (tenant: string, data: Record<string, unknown>, service = 'orders'): OriginLayer => ({
  tenant,
  service,
  data,
  revision: '1',
})

describe('findOrigins', () => {
  it('names for each leaf the last layer that has it', () => {
    const layers = [
      layer('integration', { currency: 'EUR', limits: { perUser: 5, total: 9 } }),
      layer('feature-x', { currency: 'USD' }, '*'),
      layer('feature-x', { limits: { perUser: 7 } }),
    ]
    const merged = { currency: 'USD', limits: { perUser: 7, total: 9 } }
    expect(
      findOrigins(merged, layers).map(({ path, tenant, service }) => `${path.join('.')}: ${tenant}/${service}`),
    ).toEqual(['currency: feature-x/*', 'limits.perUser: feature-x/orders', 'limits.total: integration/orders'])
  })

  it('finds for every leaf of any merge a layer that holds exactly its value', () => {
    const data = fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(
        fc.integer(),
        fc.constant(null),
        fc.dictionary(fc.constantFrom('x', 'y'), fc.oneof(fc.integer(), fc.constant(null))),
      ),
    )
    fc.assert(
      fc.property(fc.array(data, { maxLength: 4 }), (documents) => {
        const merged = documents.reduce<Record<string, unknown>>((target, patch) => mergePatch(target, patch), {})
        const layers = documents.map((one, index) => layer(`t${index}`, one))
        const leaves = findOrigins(merged, layers).filter(({ value }) => typeof value !== 'object')
        const held = leaves.map(({ path, tenant }) => {
          const source = layers.find((one) => one.tenant === tenant)?.data
          return path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], source)
        })
        expect(held).toEqual(leaves.map(({ value }) => value))
      }),
    )
  })
})

/** RFC 7396, as its section 2 words it. */
function mergePatch(target: unknown, patch: Record<string, unknown>): Record<string, unknown> {
  const result = { ...(isObject(target) ? target : {}) }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name]
    else result[name] = isObject(value) ? mergePatch(result[name], value) : value
  }
  return result
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
