import type { Figure } from '../result.js'
import { stopAll, type Contender, type ContenderKind } from './contender.js'
import { measureFanout, type FanoutFigures, type Schedule } from './measure.js'
import { etcd } from './peers/etcd.js'
import { floor } from './peers/floor.js'
import { nats } from './peers/nats.js'
import { ours } from './peers/ours.js'
import { redis } from './peers/redis.js'
import { zookeeperNode } from './peers/zookeeper.js'

/**
 * Contenders that are connected at the same time and take turns. Those with a target are among themselves: a peer that keeps thousands of
 * sessions alive by itself would take processor time from everybody's turn.
 */
const GROUPS: readonly (readonly ContenderKind[])[] = [
  [ours, floor, etcd],
  [ours, nats, redis, zookeeperNode],
]

/**
 * Publish to the last subscriber, one TCP connection each, beside a bare socket server that writes the same bytes and beside
 * whatever peers are installed. Server, subscribers and publisher are processes of their own for each of them.
 */
export async function fanout(subscribers: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const group of GROUPS) {
    const kinds = group.filter(isHere)
    if (kinds.length > 1) figures.push(...(await measureGroup(kinds, subscribers)))
  }
  return figures
}

async function measureGroup(kinds: readonly ContenderKind[], subscribers: number): Promise<Figure[]> {
  const contenders: Contender[] = []
  try {
    for (const kind of kinds) contenders.push(await kind.start(subscribers))
    const [first, ...others] = await measureFanout(contenders, scheduleFor(subscribers))
    if (first === undefined) throw new Error('nothing was measured')
    return figuresOf(first, others, subscribers)
  } finally {
    await stopAll(contenders)
  }
}

function isHere({ name, missing }: ContenderKind): boolean {
  const reason = missing()
  if (reason !== undefined) process.stderr.write(`fanout: ${name} not measured: ${reason}\n`)
  return reason === undefined
}

/** Slow enough that every contender has reached everybody well before the next publish: this is about latency, not about queues. */
function scheduleFor(subscribers: number): Schedule {
  const intervalMs = Math.max(100, Math.round(subscribers * 0.2))
  const large = subscribers > 2_000
  return { rounds: 4, publishesPerRound: large ? 16 : 30, warmUp: 4, intervalMs, rehearsal: large ? 60 : 200 }
}

const TARGETS: Readonly<Record<string, number>> = { [floor.name]: 1.5, [etcd.name]: 0.3 }

const FAULTS = ['missed', 'duplicated', 'outOfOrder'] as const
const NONE = { text: '0', holds: (value: number) => value === 0 }

function figuresOf(first: FanoutFigures, others: readonly FanoutFigures[], subscribers: number): Figure[] {
  const compare = (what: string, unit: string, read: (figures: FanoutFigures) => number): Figure[] =>
    others.map((other) => ({
      name: `publish -> last of ${subscribers}, ${what}`,
      value: read(first),
      unit,
      peer: { name: other.name, value: read(other) },
      ...(what === 'p99' ? targetBeside(other.name) : {}),
    }))
  return [
    ...compare('p50', 'ms', ({ p50Ms }) => p50Ms),
    ...compare('p99', 'ms', ({ p99Ms }) => p99Ms),
    ...compare('max', 'ms', ({ maxMs }) => maxMs),
    ...compare('server CPU', 'ms/publish', ({ cpuMs }) => cpuMs),
    ...compare('subscribers’ CPU', 'ms/publish', ({ subscriberCpuMs }) => subscriberCpuMs),
    ...compare('server RSS', 'MB', ({ rssBytes }) => rssBytes / 1e6),
    ...FAULTS.map((what) => ({ name: `deliveries ${what}`, value: first[what], unit: 'deliveries', target: NONE })),
    ...others.map((other) => ({
      name: `deliveries ${FAULTS.join(' + ')}, ${other.name}`,
      value: FAULTS.reduce((sum, what) => sum + other[what], 0),
      unit: 'deliveries',
    })),
  ]
}

function targetBeside(peer: string): Pick<Figure, 'target'> {
  const limit = TARGETS[peer]
  if (limit === undefined) return {}
  return { target: { text: `<= ${limit} x`, holds: (_value, ratio) => (ratio ?? Infinity) <= limit } }
}
