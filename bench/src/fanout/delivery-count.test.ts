import { expect, it } from 'vitest'
import { DeliveryCount } from './delivery-count.js'

it('says when the last subscriber has a value, and finds no fault in ordered deliveries', () => {
  const count = new DeliveryCount(2)
  expect([count.take(0, 0), count.take(1, 0), count.take(1, 1), count.take(0, 1)]).toEqual([false, true, false, true])
  expect(count.faults(2)).toEqual({ missed: 0, duplicated: 0, outOfOrder: 0 })
})

it('counts a value that a subscriber never had', () => {
  const count = new DeliveryCount(2)
  count.take(0, 0)
  count.take(0, 1)
  count.take(1, 1)
  expect(count.faults(2)).toEqual({ missed: 1, duplicated: 0, outOfOrder: 0 })
})

it('counts a value that came twice, and one that came after its successor', () => {
  const count = new DeliveryCount(1)
  for (const sequence of [0, 2, 1, 1]) count.take(0, sequence)
  expect(count.faults(3)).toEqual({ missed: 0, duplicated: 1, outOfOrder: 1 })
})
