import { expect, it } from 'vitest'
import { spreadOf } from './reconnect-spread.js'

it('finds the busiest slot wherever it begins, within the bounds only', () => {
  const instants = [0, 900, 40, 1_000, 990, 1_010, 1_095, 1_101, 5_000]
  expect(spreadOf(instants, { from: 10, to: 5_000, slotMs: 100 })).toEqual({ count: 7, busiestSlot: 3, spanMs: 1_061 })
})

it('says nothing of nothing', () => {
  expect(spreadOf([], { from: 0, to: 10, slotMs: 1 })).toEqual({ count: 0, busiestSlot: 0, spanMs: 0 })
})
