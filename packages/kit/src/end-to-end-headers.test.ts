import { describe, expect, it } from 'vitest'
import { endToEndHeaders } from './end-to-end-headers.js'

describe('endToEndHeaders', () => {
  it.each([
    [undefined, 'accept', true],
    [undefined, 'transfer-encoding', false],
    [undefined, 'connection', false],
    ['close', 'accept', true],
    ['X-Trace, keep-alive', 'x-trace', false],
    ['X-Trace, keep-alive', 'x-other', true],
    ['content-length, host', 'content-length', true],
    ['content-length, host', 'host', true],
    ['te', 'te', false],
  ])('with "Connection: %s" the header %s is passed on: %s', (connection, name, isPassedOn) => {
    expect(endToEndHeaders(connection)(name)).toBe(isPassedOn)
  })
})
