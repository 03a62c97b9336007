import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CALLBACK_SEGMENT, canonicalCallbackPath, parseCallbackTarget } from './callback-path.js'

describe('the target of a callback', () => {
  it.each([
    ['/tributary-callback/t1.a.b.c/paid', { token: 't1.a.b.c', path: '/paid', query: '' }],
    ['/tributary-callback/t/paid/7?status=ok', { token: 't', path: '/paid/7', query: '?status=ok' }],
    ['/tributary-callback/t/paid?a=b?status=ok', { token: 't', path: '/paid', query: '?a=b?status=ok' }],
    ['/tributary-callback/t?code=1', { token: 't', path: '/', query: '?code=1' }],
    ['/tributary-callback/t/', { token: 't', path: '/', query: '' }],
    ['/tributary-callback//paid', { token: '', path: '/paid', query: '' }],
  ])('is read from %s', (target, found) => {
    expect(parseCallbackTarget(target)).toEqual(found)
  })

  it.each(['/', '/paid', '/tributary-callbacks/t/paid', '/x/tributary-callback/t/paid', '/tributary-callback', ''])(
    'is not read from %s',
    (target) => {
      expect(parseCallbackTarget(target)).toBeUndefined()
    },
  )

  it('keeps path and query whatever a third party appends', () => {
    fc.assert(
      fc.property(fc.webPath(), fc.webQueryParameters(), (path, query) => {
        const target = `/${CALLBACK_SEGMENT}/token${path}?${query}`
        expect(parseCallbackTarget(target)).toEqual({ token: 'token', path: path || '/', query: `?${query}` })
      }),
    )
  })
})

describe('the path that a token is bound to', () => {
  it('is the same for every spelling of it, and keeps an encoded slash apart from a slash', () => {
    expect(canonicalCallbackPath('/a%7eb/%c3%a9')).toBe(canonicalCallbackPath('/a~b/é'))
    expect(canonicalCallbackPath('/a%2Fb')).not.toBe(canonicalCallbackPath('/a/b'))
    expect(canonicalCallbackPath('/100%')).toBe('/100%')
  })
})
