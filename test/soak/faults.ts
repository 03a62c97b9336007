import { setTimeout as delay } from 'node:timers/promises'
import type { SoakWorld } from './world.js'

const OUTAGE_MS = 3_000

type Fault = (world: SoakWorld) => Promise<void>

/** Each breaks something, waits, and mends it: at most one thing is broken at a time, so that there is always a majority. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'etcd member killed': async ({ etcd }) => {
    const member = anyOf(etcd)
    await member.kill()
    await delay(OUTAGE_MS)
    await member.restart()
  },
  'etcd member frozen': async ({ etcd }) => {
    const member = anyOf(etcd)
    await member.freeze()
    await delay(OUTAGE_MS)
    member.thaw()
  },
  'replica killed': async (world) => {
    const index = Math.floor(Math.random() * world.replicas.length)
    await world.stopReplica(index, 'SIGKILL')
    await world.startReplica(index)
  },
  'replica restarted': async (world) => {
    const index = Math.floor(Math.random() * world.replicas.length)
    await world.stopReplica(index, 'SIGTERM')
    await world.startReplica(index)
  },
  'connections cut': async ({ proxies }) => anyOf(proxies).cut(),
  'connections reset': async ({ proxies }) => anyOf(proxies).reset(),
  'answers stalled': async ({ proxies }) => stall(anyOf(proxies), 'toClient'),
  'requests stalled': async ({ proxies }) => stall(anyOf(proxies), 'toServer'),
}

/** A random fault every `everyMs` until the signal aborts; answers how many there were of each kind. */
export async function injectFaults(
  world: SoakWorld,
  { everyMs, signal }: { readonly everyMs: number; readonly signal: AbortSignal },
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  while (!signal.aborted) {
    const next = delay(everyMs)
    const [name, fault] = anyOf(Object.entries(FAULTS))
    await fault(world)
    counts[name] = (counts[name] ?? 0) + 1
    await next
  }
  return counts
}

async function stall(proxy: SoakWorld['proxies'][number], direction: 'toClient' | 'toServer'): Promise<void> {
  proxy.stall(direction)
  await delay(OUTAGE_MS)
  proxy.resume()
}

/** One at random. */
export function anyOf<T>(all: readonly T[]): T {
  const one = all[Math.floor(Math.random() * all.length)]
  if (one === undefined) throw new Error('there is nothing to choose from')
  return one
}
