import { describe, expect, it } from 'vitest'
import { harmless } from './harmless.js'

const plain = (text: string): string => harmless(text, { colours: false })
const coloured = (text: string): string => harmless(text, { colours: true })

describe('harmless', () => {
  it('leaves ordinary text of any language, tabs and newlines alone', () => {
    const text = 'a\tb\n日本 ünï → 😀'
    expect(plain(text)).toBe(text)
    expect(coloured(text)).toBe(text)
  })

  it.each([
    ['a title', '\u001B]0;pwned\u0007x', '\\u001b]0;pwned\\u0007x'],
    ['a cleared screen', '\u001B[2Jx', '\\u001b[2Jx'],
    ['the 8-bit introducer', '\u009B2Jx', '\\u009b2Jx'],
    ['a line written over', 'real\rfake', 'real\\u000dfake'],
    ['backspaces', 'ab\b\bx', 'ab\\u0008\\u0008x'],
    ['turned text', 'a\u202Eb\u2066c', 'a\\u202eb\\u2066c'],
  ])('shows %s instead of letting the terminal obey it', (_name, text, shown) => {
    expect(plain(text)).toBe(shown)
    expect(coloured(text)).toBe(shown)
  })

  it('keeps colours on a terminal that has them, and takes them out elsewhere', () => {
    expect(coloured('\u001B[1m\u001B[31mred\u001B[39;22m')).toBe('\u001B[1m\u001B[31mred\u001B[39;22m')
    expect(plain('\u001B[31mred\u001B[39m')).toBe('red')
  })

  it.each(['\u001B[8m', '\u001B[7m', '\u001B[5m', '\u001B[38;2;0;0;0m', '\u001B[31;8m'])(
    'takes out %j, which can hide text, everywhere',
    (sequence) => {
      expect(coloured(`a${sequence}b`)).toBe('ab')
    },
  )

  it('drops the carriage return of a line that ends as on Windows', () => {
    expect(plain('a\r\nb\r')).toBe('a\nb')
  })

  it('keeps JSON the JSON that it was', () => {
    const value = { text: 'a\u001B[2J\u009B\u202E\u007F\r\nb' }
    expect(JSON.parse(plain(JSON.stringify(value, null, 2)))).toEqual(value)
  })
})
