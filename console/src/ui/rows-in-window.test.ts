import { expect, it } from 'vitest'
import { rowsInWindow } from './rows-in-window.js'

const WINDOW = { rowHeight: 18, height: 360 }

it('draws what is in the window, and some rows around it', () => {
  expect(rowsInWindow({ ...WINDOW, count: 1000, scrolledTo: 9000 })).toEqual({ first: 480, end: 540 })
})

it('draws the first and the last rows at the ends', () => {
  expect(rowsInWindow({ ...WINDOW, count: 1000, scrolledTo: 0 })).toEqual({ first: 0, end: 40 })
  expect(rowsInWindow({ ...WINDOW, count: 1000, scrolledTo: 17_640 })).toEqual({ first: 960, end: 1000 })
})

it.each([1, 3, 25])(
  'draws the %i rows that a search has left of many, although it was scrolled far below them',
  (count) => {
    const { first, end } = rowsInWindow({ ...WINDOW, count, scrolledTo: 140_000 })
    expect([first, end]).toEqual([0, count])
  },
)

it('draws nothing of nothing', () => {
  expect(rowsInWindow({ ...WINDOW, count: 0, scrolledTo: 500 })).toEqual({ first: 0, end: 0 })
})
