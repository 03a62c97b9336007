import { describe, expect, it } from 'vitest'
import { didYouMean } from './did-you-mean.js'

describe('didYouMean', () => {
  it.each([
    ['dependson', 'dependsOn'],
    ['halth', 'health'],
    ['helath', 'health'],
    ['x', undefined],
    ['completely-else', undefined],
  ])('guesses %s as %s', (word, guess) => {
    expect(didYouMean(word, ['dependsOn', 'health', 'ports'])).toBe(guess)
  })
})
