import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SseParser, type SseEvent } from './sse-parser.js'

function parse(text: string, parser = new SseParser()): SseEvent[] {
  return parser.push(Buffer.from(text))
}

/** Feeds the bytes in pieces of the given sizes, over and over. */
function parseInPieces(bytes: Buffer, sizes: readonly number[]): SseEvent[] {
  const parser = new SseParser()
  const events: SseEvent[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1
    events.push(...parser.push(bytes.subarray(at, at + size)))
    at += size
  }
  return events
}

const message = (data: string, id = '', event = 'message'): SseEvent => ({ event, data, id })

describe('SseParser', () => {
  const cases: readonly (readonly [title: string, text: string, events: readonly SseEvent[]])[] = [
    ['reads one event', 'data: a\n\n', [message('a')]],
    ['accepts CR as line end', 'data: a\r\rdata: b\r\r', [message('a'), message('b')]],
    ['accepts CRLF as line end', 'data: a\r\n\r\n', [message('a')]],
    ['accepts mixed line ends', 'data: a\r\ndata: b\rdata: c\n\r\n', [message('a\nb\nc')]],
    ['drops one byte order mark', '\uFEFFdata: a\n\n', [message('a')]],
    ['keeps a second byte order mark as part of the field name', '\uFEFF\uFEFFdata: a\n\n', []],
    ['joins data lines by line feeds', 'data: a\ndata:\ndata: b\n\n', [message('a\n\nb')]],
    ['takes off one blank after the colon only', 'data:  a\n\ndata:b\n\n', [message(' a'), message('b')]],
    ['ignores comments', ': hello\n:\ndata: a\n\n', [message('a')]],
    ['names events and forgets the name', 'event: x\ndata: a\n\ndata: b\n\n', [message('a', '', 'x'), message('b')]],
    ['keeps the id for later events', 'id: 7\ndata: a\n\ndata: b\n\n', [message('a', '7'), message('b', '7')]],
    ['ignores an id with a NUL', 'id: 7\n\nid: 8\0\ndata: a\n\n', [message('a', '7')]],
    ['resets the id by an empty one', 'id: 7\n\nid\ndata: a\n\n', [message('a')]],
    ['dispatches nothing without data', 'event: x\nid: 1\n\n', []],
    ['dispatches empty data', 'data\n\n', [message('')]],
    ['ignores unknown fields', 'foo: bar\n data: no\ndata: a\n\n', [message('a')]],
    ['drops an unfinished event', 'data: a\n\ndata: b\n', [message('a')]],
    ['keeps colons in values', 'data: {"a":1}\n\n', [message('{"a":1}')]],
  ]

  it.each(cases)('%s', (_title, text, events) => {
    expect(parse(text)).toEqual(events)
  })

  it.each(cases)('%s, one byte at a time', (_title, text, events) => {
    expect(parseInPieces(Buffer.from(text), [1])).toEqual(events)
  })

  it('keeps the last valid retry field', () => {
    const parser = new SseParser()
    parse('retry: 10\nretry: 2s\n\n', parser)
    expect(parser.retryMs).toBe(10)
  })

  it('does not take a CRLF that is split across chunks for two line ends', () => {
    const parser = new SseParser()
    expect(parse('data: a\r', parser)).toEqual([])
    expect(parse('\ndata: b\r\n\r', parser)).toEqual([message('a\nb')])
    expect(parse('\ndata: c\n\n', parser)).toEqual([message('c')])
  })

  it('dispatches at the CR of a blank line without waiting for what follows', () => {
    expect(parse('data: a\r\n\r')).toEqual([message('a')])
  })

  it('puts characters together that are split across chunks', () => {
    expect(parseInPieces(Buffer.from('data: häß€😀\n\n'), [1])).toEqual([message('häß€😀')])
  })

  it('refuses an event that grows without end', () => {
    const parser = new SseParser(10)
    expect(() => parse('data: 0123456789', parser)).toThrow(RangeError)
  })

  it('refuses an event of endless short lines', () => {
    const parser = new SseParser(10)
    expect(() => parse('data: 01234\n'.repeat(3), parser)).toThrow(RangeError)
  })

  it('gives the same events however the bytes are cut', () => {
    const line = fc.oneof(
      fc.constantFrom('data: a', 'data:€😀', 'event: x', 'id: 3', ': note', '', '', 'retry: 5', 'other: y'),
      fc.string({ maxLength: 8 }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, '')}`),
    )
    const text = fc
      .array(fc.tuple(line, fc.constantFrom('\n', '\r', '\r\n')), { maxLength: 30 })
      .map((lines) => lines.map(([content, end]) => content + end).join(''))
    fc.assert(
      fc.property(text, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (whole, sizes) => {
        expect(parseInPieces(Buffer.from(whole), sizes)).toEqual(parse(whole))
      }),
    )
  })
})
