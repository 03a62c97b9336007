import { expect, it } from 'vitest'
import { Outbox, type Flushable } from './outbox.js'

/** Things to flush that write their numbers down in the order in which they are flushed. */
function makeItems(count: number): { readonly items: readonly Flushable[]; readonly flushed: number[] } {
  const flushed: number[] = []
  const items = Array.from({ length: count }, (_, index) => ({ flush: () => void flushed.push(index) }))
  return { items, flushed }
}

function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index)
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('writes at the end of the turn, not before', async () => {
  const outbox = new Outbox()
  const { items, flushed } = makeItems(3)
  for (const item of items) outbox.schedule(item)
  await Promise.resolve()
  expect(flushed).toEqual([])
  await turn()
  expect(flushed).toEqual([0, 1, 2])
})

it('writes thousands in slices, and lets other work come between them', async () => {
  const outbox = new Outbox()
  const { items, flushed } = makeItems(2_500)
  for (const item of items) outbox.schedule(item)
  const seen: number[] = []
  while (flushed.length < items.length) {
    await turn()
    seen.push(flushed.length)
  }
  expect(seen).toEqual([1_024, 2_048, 2_500])
  expect(flushed).toEqual(numbers(0, 2_500))
})

it('keeps the order for what comes between two slices and afterwards', async () => {
  const outbox = new Outbox()
  const { items, flushed } = makeItems(1_600)
  for (const item of items.slice(0, 1_500)) outbox.schedule(item)
  await turn()
  for (const item of items.slice(1_500, 1_550)) outbox.schedule(item)
  while (flushed.length < 1_550) await turn()
  for (const item of items.slice(1_550)) outbox.schedule(item)
  await turn()
  expect(flushed).toEqual(numbers(0, 1_600))
})

it('writes what a flush schedules in a later turn', async () => {
  const outbox = new Outbox()
  const flushed: string[] = []
  const second = { flush: () => void flushed.push('second') }
  outbox.schedule({
    flush: () => {
      flushed.push('first')
      outbox.schedule(second)
    },
  })
  await turn()
  expect(flushed).toEqual(['first'])
  await turn()
  expect(flushed).toEqual(['first', 'second'])
})
