import { describe, expect, test } from 'vitest'
import { KeyedMutex } from './keyed-mutex.js'

describe('KeyedMutex', () => {
  test('runs the work of one key one at a time, in order of arrival', async () => {
    const mutex = new KeyedMutex()
    const events: string[] = []
    const work = (name: string) => async () => {
      events.push(`${name} begins`)
      await Promise.resolve()
      await Promise.resolve()
      events.push(`${name} ends`)
    }
    await Promise.all(['a', 'b', 'c'].map((name) => mutex.run('key', work(name))))
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  test('lets different keys run side by side', async () => {
    const mutex = new KeyedMutex()
    let release = (): void => undefined
    const held = mutex.run('one', () => new Promise<void>((resolve) => (release = resolve)))
    await expect(mutex.run('two', async () => 'done')).resolves.toBe('done')
    release()
    await held
  })

  test('goes on after work that fails, and tells only its caller', async () => {
    const mutex = new KeyedMutex()
    const failing = mutex.run('key', () => Promise.reject(new Error('broken')))
    const next = mutex.run('key', async () => 'fine')
    await expect(failing).rejects.toThrow('broken')
    await expect(next).resolves.toBe('fine')
  })

  test('forgets a key that nothing waits for', async () => {
    const mutex = new KeyedMutex()
    await Promise.all([mutex.run('a', async () => 1), mutex.run('a', async () => 2)])
    expect(mutex.size).toBe(0)
  })
})
