import type { Etcd3 } from 'etcd3'
import { serveParent } from './child.js'
import { etcdClient } from './etcd-process.js'

/** A program that keeps its own layers in etcd: it reads both with one range each and merges them itself, many at a time. */
interface Start {
  readonly port: number
  readonly layers: readonly [own: string, base: string]
  readonly concurrency: number
  readonly seconds: number
}

serveParent(async (message) => {
  const { port, layers, concurrency, seconds } = message as Start
  const client = etcdClient(port)
  await run(client, { layers, concurrency, untilMs: performance.now() + 2_000 })
  const startedAt = performance.now()
  const reads = await run(client, { layers, concurrency, untilMs: startedAt + seconds * 1_000 })
  const readsPerSecond = (reads / (performance.now() - startedAt)) * 1_000
  client.close()
  return { readsPerSecond }
})

interface Load {
  readonly layers: readonly [own: string, base: string]
  readonly concurrency: number
  readonly untilMs: number
}

async function run(client: Etcd3, { layers, concurrency, untilMs }: Load): Promise<number> {
  let reads = 0
  const read = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      const merged = await readView(client, layers)
      if (merged.size !== 11) throw new Error(`the merged view has ${merged.size} items`)
      reads += 1
    }
  }
  await Promise.all(Array.from({ length: concurrency }, read))
  return reads
}

/** The tenant's own items over its base's. The two ranges are of one moment only by luck, which is not held against the peer. */
async function readView(client: Etcd3, [own, base]: readonly [string, string]): Promise<Map<string, unknown>> {
  const [above, below] = await Promise.all([
    client.getAll().prefix(own).strings(),
    client.getAll().prefix(base).strings(),
  ])
  const merged = new Map<string, unknown>()
  for (const [prefix, values] of [
    [base, below],
    [own, above],
  ] as const) {
    for (const [key, value] of Object.entries(values)) merged.set(key.slice(prefix.length), JSON.parse(value))
  }
  return merged
}
