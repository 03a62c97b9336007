import { describe, expect, it } from 'vitest'
import { lookAgainMs, waitAside } from './waiting.js'

describe('waiting for what the cluster removes', () => {
  it('looks again soon at first, and the more seldom the longer it has waited', () => {
    expect([0, 5_000, 20_000, 60_000, 600_000].map(lookAgainMs)).toEqual([500, 500, 2_000, 5_000, 5_000])
  })

  it('is done where it takes nobody’s room, or where it stands when there is no such place', async () => {
    let isAside = false
    const work = async (): Promise<boolean> => isAside
    const aside = async <T>(waiting: () => Promise<T>): Promise<T> => {
      isAside = true
      return waiting()
    }
    expect(await waitAside({}, work)).toBe(false)
    expect(await waitAside({ aside }, work)).toBe(true)
  })
})
