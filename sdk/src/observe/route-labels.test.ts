import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RouteLabels } from './route-labels.js'

/** fast-check's own paths need a table of all of Unicode, which takes a second to build; what is beyond ASCII comes escaped anyway. */
const PATH = fc
  .array(fc.string({ maxLength: 12 }))
  .map((segments) => `/${segments.map((segment) => encodeURIComponent(segment)).join('/')}`)

describe('RouteLabels', () => {
  it.each([
    ['GET', '/', 'GET /'],
    ['GET', '/orders?customer=alice', 'GET /orders'],
    ['POST', '/orders/42/items/9f8e', 'POST /orders/:id/items/:id'],
    ['GET', '/users/Alice', 'GET /users/:id'],
    ['GET', '/a/b/c/d/e/f', 'GET /a/b/c/d/*'],
    ['BREW', '//pot', 'OTHER /pot'],
    ['GET', '/%6Frders', 'GET /:id'],
    ['GET', 'http://orders/stock?sku=7', 'GET /stock'],
    ['GET', 'http://orders', 'GET /'],
  ])('labels %s %s as %s', (method, path, label) => {
    expect(new RouteLabels().of(method, path)).toBe(label)
  })

  it('takes too many different names at one place for data', () => {
    const labels = new RouteLabels()
    const names = Array.from({ length: 40 }, (_, index) =>
      String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26)),
    )
    const seen = new Set(names.map((name) => labels.of('GET', `/users/${name}`)))
    expect(seen.size).toBe(21)
    expect(seen).toContain('GET /users/:id')
  })

  it('never makes more than 200 labels and one rest for each method, whatever comes', () => {
    const labels = new RouteLabels()
    const seen = new Set<string>()
    const names = Array.from('abcdefghijklmnopqrst')
    for (const path of names.flatMap((first) => names.map((second) => `/${first}/${second}`)))
      seen.add(labels.of('GET', path))
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST', 'X'), PATH, (method, path) => {
        const label = labels.of(method, path)
        seen.add(label)
        return label.length <= 128 && /^[\x20-\x7e]+$/.test(label)
      }),
      { numRuns: 300 },
    )
    expect(seen.size).toBeLessThanOrEqual(203)
  })
})
