import { startChild } from '../child.js'
import type { Figure } from '../result.js'
import { load, portOf, startSystem, streamRequest, tenantChanges, upTo } from '../system.js'
import { measureFanout, type FanoutFigures, type Schedule } from './measure.js'

/** Bytes of a published value beside its sequence number. */
const PAYLOAD = 'x'.repeat(1_024)
const SCHEDULE: Schedule = { publishes: 220, warmUp: 20, intervalMs: 100 }

/** Publish to the last subscriber, one TCP connection each, beside a bare socket server that writes the same bytes. */
export async function fanout(subscribers: number): Promise<Figure[]> {
  const ours = await measureOurs(subscribers)
  const floor = await measureFloor(subscribers)
  const peer = (value: number) => ({ name: 'bare socket server', value })
  const name = (what: string): string => `publish -> last of ${subscribers}, ${what}`
  return [
    { name: name('p50'), value: ours.p50Ms, unit: 'ms', peer: peer(floor.p50Ms) },
    {
      name: name('p99'),
      value: ours.p99Ms,
      unit: 'ms',
      peer: peer(floor.p99Ms),
      target: { text: '<= 1.5 x floor', holds: (_value, ratio) => (ratio ?? Infinity) <= 1.5 },
    },
    { name: name('max'), value: ours.maxMs, unit: 'ms', peer: peer(floor.maxMs) },
    {
      name: name('publishes missed'),
      value: ours.missed,
      unit: 'publishes',
      target: { text: '0', holds: (value) => value === 0 },
    },
  ]
}

async function measureOurs(count: number): Promise<FanoutFigures> {
  const system = await startSystem()
  const subscribers = startChild('./subscribers.js', import.meta.url)
  try {
    await load(system.client, tenantChanges('integration', null, upTo(4)))
    const request = streamRequest(system, 'integration')
    await subscribers.ask({ port: portOf(system), requests: Array.from({ length: count }, () => request) })
    const target = { tenant: 'integration', service: 'service-0' }
    return await measureFanout(subscribers, SCHEDULE, (sequence) =>
      system.client.applyDocument(target, { sequence, payload: PAYLOAD }),
    )
  } finally {
    await subscribers.stop()
    await system.stop()
  }
}

async function measureFloor(count: number): Promise<FanoutFigures> {
  const server = startChild('./floor-server.js', import.meta.url)
  const subscribers = startChild('./subscribers.js', import.meta.url)
  try {
    const { port } = await server.ask<{ readonly port: number }>({ start: true })
    await subscribers.ask({ port, requests: Array.from({ length: count }, () => '') })
    return await measureFanout(subscribers, SCHEDULE, (sequence) => server.ask({ publish: frame(sequence) }))
  } finally {
    await subscribers.stop()
    await server.stop()
  }
}

/** A delta frame as the config center sends it, byte for byte in length. */
function frame(sequence: number): string {
  const data = {
    from: String(sequence),
    to: String(sequence + 1),
    hash: '0'.repeat(64),
    changes: [{ key: 'config/service-0', value: { sequence, payload: PAYLOAD } }],
  }
  return `id: ${sequence + 1}\nevent: view.delta\ndata: ${JSON.stringify(data)}\n\n`
}
