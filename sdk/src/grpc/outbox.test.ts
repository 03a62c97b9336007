import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outbox } from './outbox.js'

/** A call that takes down what is written to it, and takes each message only when it is told to. */
class Noting {
  readonly written: string[] = []
  readonly #waiting: (() => void)[] = []

  sendMessageWithContext({ callback }: { readonly callback?: () => void }, message: Buffer): void {
    this.written.push(message.toString())
    this.#waiting.push(() => callback?.())
  }

  halfClose(): void {
    this.written.push('end')
  }

  /** Takes what is written, and what is written because of that, until nothing is left. */
  takeAll(): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next()
  }
}

describe('Outbox', () => {
  it('writes everything to the second call in its order, and tells the program of each message once', () => {
    const messages = fc.array(fc.string(), { maxLength: 8 })
    fc.assert(
      fc.property(messages, messages, fc.boolean(), (before, after, isTaken) => {
        const [outbox, first, second] = [new Outbox(), new Noting(), new Noting()]
        const told: string[] = []
        const send = (call: Noting, message: string): void =>
          outbox.send(call, { callback: () => void told.push(message) }, Buffer.from(message))
        for (const message of before) send(first, message)
        if (isTaken) first.takeAll()
        outbox.replay(second)
        for (const message of after) send(second, message)
        outbox.halfClose(second)
        second.takeAll()
        first.takeAll()
        expect(first.written).toEqual(before)
        expect(second.written).toEqual([...before, ...after, 'end'])
        expect(told).toEqual([...before, ...after])
      }),
    )
  })

  it('ends the second call after its messages when the first had ended already', () => {
    const [outbox, first, second] = [new Outbox(), new Noting(), new Noting()]
    outbox.send(first, {}, Buffer.from('a'))
    outbox.halfClose(first)
    outbox.replay(second)
    expect(second.written).toEqual(['a'])
    second.takeAll()
    expect(second.written).toEqual(['a', 'end'])
  })

  it('keeps one message of any size, and more than that only within a mebibyte', () => {
    const [outbox, call] = [new Outbox(), new Noting()]
    const half = Buffer.alloc(600_000)
    outbox.send(call, {}, Buffer.alloc(3_000_000))
    expect(outbox.isWhole).toBe(true)
    outbox.send(call, {}, Buffer.alloc(1))
    expect(outbox.isWhole).toBe(false)
    const another = new Outbox()
    for (const message of [half, half]) another.send(call, {}, message)
    expect(another.isWhole).toBe(true)
    another.send(call, {}, half)
    expect(another.isWhole).toBe(false)
    another.send(call, {}, half)
    expect(call.written).toHaveLength(6)
  })
})
