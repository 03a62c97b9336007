import { describe, expect, test } from 'vitest'
import { ChangeFeed } from './change-feed.js'

describe('ChangeFeed', () => {
  test('tells a name once, however often it changed before it was read', async () => {
    const feed = new ChangeFeed()
    const controller = new AbortController()
    const changes = feed.watch(controller.signal)[Symbol.asyncIterator]()
    for (const name of ['a', 'b', 'a', 'a']) feed.publish(name)
    expect([(await changes.next()).value, (await changes.next()).value]).toEqual(['a', 'b'])
    const waiting = changes.next()
    feed.publish('a')
    expect((await waiting).value).toBe('a')
    controller.abort()
    expect((await changes.next()).done).toBe(true)
  })

  test('ends a reader that waits when its signal aborts, or has aborted', async () => {
    const feed = new ChangeFeed()
    const controller = new AbortController()
    const waiting = feed.watch(controller.signal)[Symbol.asyncIterator]().next()
    controller.abort()
    expect((await waiting).done).toBe(true)
    expect((await feed.watch(controller.signal)[Symbol.asyncIterator]().next()).done).toBe(true)
  })

  test('serves readers independently', async () => {
    const feed = new ChangeFeed()
    const { signal } = new AbortController()
    const [one, two] = [feed.watch(signal)[Symbol.asyncIterator](), feed.watch(signal)[Symbol.asyncIterator]()]
    feed.publish('a')
    expect([(await one.next()).value, (await two.next()).value]).toEqual(['a', 'a'])
  })
})
