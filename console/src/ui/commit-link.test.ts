import { describe, expect, it } from 'vitest'
import { commitLink } from './commit-link.js'

const SHA = 'a'.repeat(40)

describe('the page of a commit', () => {
  it.each([
    ['https://git.example.org/team/shop.git', `https://git.example.org/team/shop/commit/${SHA}`],
    ['https://git.example.org/team/shop/', `https://git.example.org/team/shop/commit/${SHA}`],
    ['git@git.example.org:team/shop.git', `https://git.example.org/team/shop/commit/${SHA}`],
    ['ssh://git@git.example.org:22/team/shop.git', `https://git.example.org/team/shop/commit/${SHA}`],
  ])('of %s is %s', (url, expected) => {
    expect(commitLink(url, SHA)).toBe(expected)
  })

  it.each(['/srv/git/shop.git', 'javascript:alert(1)//', 'file:///srv/shop.git', 'data:text/html,x', ''])(
    'is not there for %s',
    (url) => {
      expect(commitLink(url, SHA)).toBeUndefined()
    },
  )

  it('is not there for something that is no commit', () => {
    expect(commitLink('https://git.example.org/shop', '../../x')).toBeUndefined()
  })
})
