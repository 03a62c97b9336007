import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSseParser, type SseEvent } from './sse-parser.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const parse = (text: string): SseEvent[] => createSseParser().push(bytes(text))
const datas = (text: string): string[] => parse(text).map((event) => event.data)

describe('createSseParser', () => {
  it.each([
    ['one event', 'data: a\n\n', ['a']],
    ['CR line ends', 'data: a\r\rdata: b\r\r', ['a', 'b']],
    ['CRLF line ends', 'data: a\r\n\r\n', ['a']],
    ['several data lines', 'data: a\ndata: b\n\n', ['a\nb']],
    ['a leading BOM', '\uFEFFdata: a\n\n', ['a']],
    ['comments', ': hi\ndata: a\n:x\n\n', ['a']],
    ['no space after the colon', 'data:a\n\n', ['a']],
    ['only the first space removed', 'data:  a\n\n', [' a']],
    ['a field without a colon', 'data\n\n', ['']],
    ['unknown fields', 'foo: 1\ndata: a\n\n', ['a']],
    ['no event without data', 'event: x\n\n', []],
    ['an event that is cut', 'data: a\n', []],
  ])('handles %s', (_name, text, expected) => {
    expect(datas(text)).toEqual(expected)
  })

  it('keeps the event name to its event and the id for the following ones', () => {
    expect(parse('event: x\nid: 7\ndata: a\n\ndata: b\n\n')).toEqual([
      { event: 'x', data: 'a', lastEventId: '7' },
      { event: 'message', data: 'b', lastEventId: '7' },
    ])
  })

  it('gives the same events however the bytes are split', () => {
    const stream = bytes('\uFEFFid: 1\r\nevent: é\r\ndata: 漢字😀\r\ndata: b\r\n\r\n: c\n\ndata: z\r\r')
    const whole = createSseParser().push(stream)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 80 }), (sizes) => {
        const parser = createSseParser()
        const events: SseEvent[] = []
        let offset = 0
        for (const size of [...sizes, stream.length]) {
          events.push(...parser.push(stream.subarray(offset, offset + size)))
          offset += size
        }
        expect(events).toEqual(whole)
      }),
    )
  })

  it('refuses an event over the bound', () => {
    const parser = createSseParser({ maxEventBytes: 10 })
    expect(() => parser.push(bytes('data: 0123456789\n'))).toThrow(RangeError)
  })
})
