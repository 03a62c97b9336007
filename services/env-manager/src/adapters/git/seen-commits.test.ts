import { expect, test } from 'vitest'
import { SeenCommits } from './seen-commits.js'

test('remembers the commits of each repository until it is told to forget them', () => {
  const seen = new SeenCommits()
  seen.add('shop', 'a')
  expect([seen.has('shop', 'a'), seen.has('shop', 'b'), seen.has('other', 'a')]).toEqual([true, false, false])
  seen.forget('shop')
  expect(seen.has('shop', 'a')).toBe(false)
})

test('remembers no more than a thousand of each, the newest', () => {
  const seen = new SeenCommits()
  for (let index = 0; index <= 1000; index += 1) seen.add('shop', String(index))
  expect([seen.has('shop', '0'), seen.has('shop', '1'), seen.has('shop', '1000')]).toEqual([false, true, true])
})

test('counts fetches of each repository', () => {
  const seen = new SeenCommits()
  seen.noteFetch('shop')
  seen.noteFetch('shop')
  expect([seen.fetchesOf('shop'), seen.fetchesOf('other')]).toEqual([2, 0])
})
