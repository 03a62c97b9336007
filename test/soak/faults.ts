import { setTimeout as delay } from 'node:timers/promises'
import type { SoakWorld } from './world.js'

const OUTAGE_MS = 3_000
/** Connections to etcd end in the middle of a message: a listing is several times as long, a watch's answer shorter. */
const CUT_AFTER_BYTES = 20_000

type Fault = (world: SoakWorld) => Promise<void>

/** The fault whose reconnects are measured. */
export const ROLLING_RESTART = 'replicas restarted in turn'

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
  [ROLLING_RESTART]: (world) => world.rollReplicas(),
  'connections to a replica cut': async ({ proxies }) => anyOf(proxies).cut(),
  'connections to a replica reset': async ({ proxies }) => anyOf(proxies).reset(),
  'answers of a replica stalled': async ({ proxies }) => stall(anyOf(proxies), 'toClient'),
  'requests to a replica stalled': async ({ proxies }) => stall(anyOf(proxies), 'toServer'),
  'connections to etcd cut': async ({ etcdProxies }) => etcdProxies.forEach((proxy) => proxy.cut()),
  'connections to etcd reset': async ({ etcdProxies }) => etcdProxies.forEach((proxy) => proxy.reset()),
  'connections to etcd cut in the middle of a message': async ({ etcdProxies }) => {
    for (const proxy of etcdProxies) proxy.cutAfter(CUT_AFTER_BYTES)
    await delay(OUTAGE_MS)
    for (const proxy of etcdProxies) proxy.cutAfter(undefined)
  },
  'answers of an etcd member stalled': async ({ etcdProxies }) => stall(anyOf(etcdProxies), 'toClient'),
  'requests to an etcd member stalled': async ({ etcdProxies }) => stall(anyOf(etcdProxies), 'toServer'),
}

/** When faults come, and who is told of each. */
export interface FaultPlan {
  readonly everyMs: number
  readonly signal: AbortSignal
  readonly onFault?: (name: string, what: 'begins' | 'ends') => void
}

/** A random fault every `everyMs` until the signal aborts; answers how many there were of each kind. */
export async function injectFaults(
  world: SoakWorld,
  { everyMs, signal, onFault = () => undefined }: FaultPlan,
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  while (!signal.aborted) {
    const next = delay(everyMs)
    const [name, fault] = anyOf(Object.entries(FAULTS))
    onFault(name, 'begins')
    await fault(world)
    onFault(name, 'ends')
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
