import { expect, it } from 'vitest'
import { ChangeFeed } from './change-feed.js'

class Output {
  canTakeMore = true
  readonly messages: { storeRevision: string; tenants: string[] }[] = []
  write(text: string): void {
    this.messages.push(JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? ''))
  }
}

const changes = (...tenants: string[]) => tenants.map((tenant) => ({ tenant }))

it('begins with the revision, then names the tenants of each batch once', () => {
  const output = new Output()
  const feed = new ChangeFeed(output, 7n)
  feed.add(changes('b', 'a', 'b'), 8n)
  feed.add([], 9n)
  expect(output.messages).toEqual([
    { storeRevision: '7', tenants: [] },
    { storeRevision: '8', tenants: ['a', 'b'] },
  ])
})

it('joins what comes while the reader is slow', () => {
  const output = new Output()
  const feed = new ChangeFeed(output, 1n)
  output.canTakeMore = false
  for (let revision = 2n; revision < 5_000n; revision += 1n) feed.add(changes(`t${revision % 3n}`), revision)
  expect(output.messages).toHaveLength(1)
  output.canTakeMore = true
  feed.flush()
  feed.flush()
  expect(output.messages.slice(1)).toEqual([{ storeRevision: '4999', tenants: ['t0', 't1', 't2'] }])
})
