import { Type } from 'typebox'
import { describe, expect, it } from 'vitest'
import { Diagnostics, type Diagnostic } from '../diagnostics.js'
import { deepFreeze } from '../freeze.js'
import { ConfigStore } from './config-store.js'

function newStore(document?: unknown, handlerTimeoutMs = 1_000): { store: ConfigStore; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = []
  const store = new ConfigStore({ diagnostics: new Diagnostics((each) => diagnostics.push(each)), handlerTimeoutMs })
  store.replace(deepFreeze(document))
  return { store, diagnostics }
}

function change(store: ConfigStore, document: unknown): Promise<readonly string[]> {
  store.replace(deepFreeze(document))
  return store.settle()
}

/** A promise that the test settles. */
function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

describe('config.get', () => {
  it('gives frozen values, so that nobody can change what others read', () => {
    const { store } = newStore({ hosts: ['x'], pool: { size: 1 } })
    const pool = store.get('pool') as { size: number }
    expect(() => (pool.size = 2)).toThrow(TypeError)
    expect(() => (store.get('hosts') as string[]).push('y')).toThrow(TypeError)
    expect(store.get('')).toEqual({ hosts: ['x'], pool: { size: 1 } })
  })

  it('checks under a schema without converting', () => {
    const { store, diagnostics } = newStore({ pageSize: '20' })
    expect(store.get('pageSize', Type.Integer())).toBeUndefined()
    expect(store.get('pageSize', Type.Integer(), { default: 7 })).toBe(7)
    expect(diagnostics.map(({ code }) => code)).toEqual(['config_invalid'])
  })

  it('keeps the last value that fitted while a bad one is there', async () => {
    const { store } = newStore({ pageSize: 20 })
    const schema = Type.Integer({ minimum: 1 })
    expect(store.get('pageSize', schema)).toBe(20)
    expect(await change(store, { pageSize: 0 })).toHaveLength(1)
    expect(store.get('pageSize', schema)).toBe(20)
    expect(store.get('pageSize', schema, { default: 3 })).toBe(20)
    expect(store.get('pageSize')).toBe(0)
    expect(await change(store, { pageSize: 30 })).toEqual([])
    expect(store.get('pageSize', schema)).toBe(30)
  })

  it('gives the default when the path is gone, not the last good value', async () => {
    const { store } = newStore({ pageSize: 20 })
    store.get('pageSize', Type.Integer())
    await change(store, {})
    expect(store.get('pageSize', Type.Integer(), { default: 7 })).toBe(7)
  })

  it('gives values that count as false, not the default', () => {
    const { store } = newStore({ off: false, zero: 0, none: '', nothing: null })
    expect(store.get('off', Type.Boolean(), { default: true })).toBe(false)
    expect(store.get('zero', Type.Integer(), { default: 1 })).toBe(0)
    expect(store.get('none', Type.String(), { default: 'x' })).toBe('')
    expect(store.get('nothing', Type.Union([Type.Null(), Type.String()]), { default: 'x' })).toBeNull()
  })

  it('shares the last good value among schemas that are written anew at each call', async () => {
    const { store } = newStore({ pageSize: 20 })
    expect(store.get('pageSize', Type.Integer())).toBe(20)
    await change(store, { pageSize: 'x' })
    expect(store.get('pageSize', Type.Integer())).toBe(20)
  })

  it('tells refinements apart although their JSON is the same', () => {
    const { store } = newStore({ n: 4 })
    const even = Type.Refine(Type.Integer(), (value) => value % 2 === 0)
    const odd = Type.Refine(Type.Integer(), (value) => value % 2 === 1)
    expect(store.get('n', even)).toBe(4)
    expect(store.get('n', odd)).toBeUndefined()
  })
})

describe('config.onChange', () => {
  it('is called with new and old value when the value changed, and only then', async () => {
    const { store } = newStore({ a: { x: 1 }, b: 1 })
    const seen: unknown[] = []
    store.onChange('a', (now, before) => void seen.push([now, before]))
    await change(store, { a: { x: 1 }, b: 2 })
    expect(seen).toEqual([])
    await change(store, { a: { x: 2 }, b: 2 })
    await change(store, { b: 2 })
    expect(seen).toEqual([
      [{ x: 2 }, { x: 1 }],
      [undefined, { x: 2 }],
    ])
  })

  it('does not take another order of members for a change', async () => {
    const { store } = newStore({ a: { x: 1, y: 2 } })
    const seen: unknown[] = []
    store.onChange('*', (now) => void seen.push(now))
    await change(store, { a: { y: 2, x: 1 } })
    expect(seen).toEqual([])
  })

  it('sees the whole document at *', async () => {
    const { store } = newStore()
    const seen: unknown[] = []
    store.onChange('*', (now, before) => void seen.push([now, before]))
    await change(store, { a: 1 })
    expect(seen).toEqual([[{ a: 1 }, undefined]])
  })

  it('is called before settle returns its promise when it is synchronous', () => {
    const { store } = newStore({ a: 1 })
    let seen: unknown
    store.onChange('a', (now) => void (seen = now))
    void change(store, { a: 2 })
    expect(seen).toBe(2)
    expect(store.get('a')).toBe(2)
  })

  it('is not called after its unsubscription, which frees what it had refused', async () => {
    const { store } = newStore({ a: 1 })
    const stop = store.onChange('a', () => {
      throw new Error('no')
    })
    await change(store, { a: 2 })
    expect(store.get('a')).toBe(1)
    stop()
    expect(store.get('a')).toBe(2)
    expect(await change(store, { a: 3 })).toEqual([])
  })

  it('refuses by throwing: the last good value stays at its path only, until the next good change', async () => {
    const { store, diagnostics } = newStore({ db: { url: 'good', pool: 1 }, other: 1 })
    store.onChange('db.url', (now) => {
      if (now === 'bad') throw new Error('cannot connect')
    })
    expect(await change(store, { db: { url: 'bad', pool: 2 }, other: 2 })).toEqual(['db.url: cannot connect'])
    expect(store.get('')).toEqual({ db: { url: 'good', pool: 2 }, other: 2 })
    expect(diagnostics.map(({ code }) => code)).toEqual(['handler_failed'])
    expect(await change(store, { db: { url: 'bad', pool: 3 }, other: 2 })).toEqual(['db.url: cannot connect'])
    expect(diagnostics).toHaveLength(1)
    expect(await change(store, { db: { url: 'better', pool: 3 }, other: 2 })).toEqual([])
    expect(store.get('db.url')).toBe('better')
  })

  it('is healed without a call when the value goes back to the last good one', async () => {
    const { store } = newStore({ a: 1 })
    const seen: unknown[] = []
    store.onChange('a', (now) => {
      seen.push(now)
      if (now === 2) throw new Error('no')
    })
    await change(store, { a: 2 })
    expect(await change(store, { a: 1 })).toEqual([])
    expect(seen).toEqual([2])
  })

  it('refuses the whole document at *', async () => {
    const { store } = newStore({ a: 1, b: 1 })
    store.onChange('*', () => Promise.reject(new Error('no')))
    expect(await change(store, { a: 2, b: 2 })).toEqual(['*: no'])
    expect(store.get('')).toEqual({ a: 1, b: 1 })
  })

  it('lets a deeper refusal win over a shallower one', async () => {
    const { store } = newStore({ a: 1, b: 1 })
    store.onChange('a', () => {
      throw new Error('a')
    })
    let refuse = false
    store.onChange('*', () => {
      if (refuse) throw new Error('*')
    })
    await change(store, { a: 2, b: 2 })
    expect(store.get('')).toEqual({ a: 1, b: 2 })
    refuse = true
    await change(store, { a: 3, b: 3 })
    expect(store.get('')).toEqual({ a: 1, b: 2 })
  })

  it('shows the former value until an asynchronous handler has taken the new one', async () => {
    const { store } = newStore({ a: 1 })
    const gate = deferred()
    store.onChange('a', () => gate.promise)
    const settled = change(store, { a: 2 })
    expect(store.get('a')).toBe(1)
    gate.resolve()
    expect(await settled).toEqual([])
    expect(store.get('a')).toBe(2)
  })

  it('runs one call at a time and merges what came meanwhile', async () => {
    const { store } = newStore({ a: 1 })
    const gates = [deferred(), deferred()]
    const seen: unknown[] = []
    store.onChange('a', (now, before) => {
      seen.push([now, before])
      return gates[seen.length - 1]?.promise
    })
    const settled = [change(store, { a: 2 }), change(store, { a: 3 }), change(store, { a: 4 })]
    expect(seen).toEqual([[2, 1]])
    gates[0]?.resolve()
    await expect
      .poll(() => seen)
      .toEqual([
        [2, 1],
        [4, 2],
      ])
    gates[1]?.resolve()
    await Promise.all(settled)
    expect(store.get('a')).toBe(4)
  })

  it('counts a handler that never settles as failed', async () => {
    const { store } = newStore({ a: 1 }, 5)
    store.onChange('a', () => new Promise(() => undefined))
    expect(await change(store, { a: 2 })).toEqual(['a: the handler has not settled after 5 ms'])
    expect(store.get('a')).toBe(1)
  })

  it('is not waited for once the subscription is closed', async () => {
    const { store, diagnostics } = newStore({ a: 1 }, 60_000)
    const stop = store.onChange('a', () => new Promise(() => undefined))
    const settled = change(store, { a: 2 })
    stop()
    expect(await settled).toEqual([])
    expect(store.get('a')).toBe(2)
    expect(diagnostics).toEqual([])
  })

  it('does not let one handler’s failure keep the others from their values', async () => {
    const { store } = newStore({ a: 1 })
    const seen: unknown[] = []
    store.onChange('a', () => {
      throw new Error('no')
    })
    store.onChange('a', (now) => void seen.push(now))
    await change(store, { a: 2 })
    expect(seen).toEqual([2])
  })

  it('with a schema never shows the handler a value that does not fit', async () => {
    const { store } = newStore({ pageSize: 1 })
    const seen: (number | undefined)[] = []
    store.onChange('pageSize', Type.Integer(), (now) => void seen.push(now))
    expect(await change(store, { pageSize: 'x' })).toHaveLength(1)
    await change(store, { pageSize: 2 })
    await change(store, {})
    expect(seen).toEqual([2, undefined])
  })

  it('is not called by values that arrive after close', async () => {
    const { store } = newStore({ a: 1 })
    const seen: unknown[] = []
    store.onChange('a', (now) => void seen.push(now))
    store.close()
    await change(store, { a: 2 })
    expect(seen).toEqual([])
  })
})
