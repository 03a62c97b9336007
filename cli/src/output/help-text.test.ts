import { describe, expect, it } from 'vitest'
import { helpWidthOf, wrapped } from './help-text.js'

describe('text below a help', () => {
  it('joins the lines of a paragraph and breaks them at words', () => {
    expect(wrapped('one two\nthree four\n\nfive', 10)).toBe('one two\nthree four\n\nfive')
    expect(wrapped('one two\nthree four', 9)).toBe('one two\nthree\nfour')
  })

  it('keeps indented lines apart, and what goes on beside their column', () => {
    expect(wrapped('Status:\n  0  done\n  4  a conflict of two', 15)).toBe(
      'Status:\n  0  done\n  4  a conflict\n     of two',
    )
  })

  it('leaves a word that is too long whole', () => {
    expect(wrapped('a-very-long-word b', 5)).toBe('a-very-long-word\nb')
  })

  it.each([
    [0, 80],
    [20, 40],
    [72, 72],
    [300, 100],
  ])('a terminal of %i columns has help of %i', (columns, width) => {
    expect(helpWidthOf({ columns })).toBe(width)
  })
})
