import { describe, expect, it } from 'vitest'
import { LogBuffer } from './log-buffer.js'

const line = (text: string, source = 'deploy') => ({ at: '2026-01-01T00:00:00.000Z', source, text })

describe('the log in the page', () => {
  it('keeps the newest lines of 100 MB within its bounds, and counts what it dropped', () => {
    const buffer = new LogBuffer()
    const lines = 1_000_000
    for (let index = 0; index < lines; index += 1) buffer.add(line(`${index} ${'x'.repeat(100)}`))
    const kept = buffer.select({ text: '' })
    expect(kept.length + buffer.dropped).toBe(lines)
    expect(kept.length).toBeLessThanOrEqual(20_000)
    expect(kept.at(-1)?.text.startsWith(`${lines - 1} `)).toBe(true)
  })

  it('is bounded in characters too, and cuts a line that is endless', () => {
    const buffer = new LogBuffer()
    const endless = line('y'.repeat(1_000_000))
    for (let index = 0; index < 5000; index += 1) buffer.add(endless)
    const characters = buffer.select({ text: '' }).reduce((sum, { text }) => sum + text.length, 0)
    expect(characters).toBeLessThanOrEqual(8_100_000)
    expect(buffer.select({ text: '' })[0]?.text.length).toBeLessThan(5000)
  })

  it('selects by source and text', () => {
    const buffer = new LogBuffer()
    buffer.add(line('Hello', 'a'))
    buffer.add(line('hello again', 'b'))
    expect(buffer.select({ text: 'HELLO' })).toHaveLength(2)
    expect(buffer.select({ text: 'again', source: 'a' })).toHaveLength(0)
    buffer.clear()
    expect(buffer.select({ text: '' })).toEqual([])
  })
})
