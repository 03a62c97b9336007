import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { safeReturnTo } from './return-to.js'

describe('safeReturnTo', () => {
  it.each(['/console/', '/console/#/environments/feature-x', '/console/runs?step=1#x'])('keeps %s', (path) => {
    expect(safeReturnTo(path)).toBe(path)
  })

  it.each([
    undefined,
    '',
    '//evil.example/console/',
    'https://evil.example/console/',
    '/\\evil.example',
    '/console/../../v1/session',
    '/console/..//evil.example',
    '/console/%2e%2e/%2e%2e//evil.example',
    '/console\\..\\..\\evil.example',
    'javascript:alert(1)',
    '\t//evil.example',
    '/console',
    '/v1/session',
    `/console/${'x'.repeat(2000)}`,
  ])('leads %j to the first page', (path) => {
    expect(safeReturnTo(path)).toBe('/console/')
  })

  it('never leaves the origin, whatever is asked for', () => {
    const part = fc.oneof(
      fc.constantFrom('/', '\\', '..', '.', '%2e', '//', 'console', ':', '@', 'http:', '\t', '\n', '?', '#'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), fc.boolean(), (parts, prefixed) => {
        const url = new URL(
          safeReturnTo(`${prefixed ? '/console/' : ''}${parts.join('')}`),
          'https://tributary.example',
        )
        expect([url.origin, url.pathname.startsWith('/console/')]).toEqual(['https://tributary.example', true])
      }),
    )
  })
})
