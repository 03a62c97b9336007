import { describe, expect, it } from 'vitest'
import { causeOf, headlineOf } from './cause.js'

const HEADLINE = 'orders does not stay up: exited with code 1 three times in 1 s: Error: no database'
const MESSAGE = `${HEADLINE}. Its last lines:\nError: no database\nError: no database\n    at server.mjs:3`

describe('the cause of a failed run', () => {
  it('is one sentence, without the log that the message quotes', () => {
    expect(headlineOf(MESSAGE)).toBe(HEADLINE)
    expect(headlineOf('the chart cannot be rendered')).toBe('the chart cannot be rendered')
  })

  it('tells each line once, though the log repeats the message and the message quotes the log', () => {
    const log = ['started node server.mjs', `failed: ${HEADLINE}. Its last lines:`, ...MESSAGE.split('\n').slice(1)]
    expect(causeOf(MESSAGE, log)).toEqual({
      headline: HEADLINE,
      lines: [
        { text: 'started node server.mjs', times: 1 },
        { text: 'Error: no database', times: 2 },
        { text: '    at server.mjs:3', times: 1 },
      ],
    })
    expect(causeOf(MESSAGE, ['started node server.mjs', `failed: ${MESSAGE}`])).toEqual(causeOf(MESSAGE, log))
  })

  it('leaves the lines of a log alone that the message does not tell', () => {
    expect(causeOf('it failed', ['one', 'failed: it failed', 'two'])).toEqual({
      headline: 'it failed',
      lines: [
        { text: 'one', times: 1 },
        { text: 'two', times: 1 },
      ],
    })
    expect(causeOf('it failed', [])).toEqual({ headline: 'it failed', lines: [] })
  })
})
