import { startChild } from './child.js'
import type { Figure } from './result.js'
import { load, portOf, startSystem, streamRequest, tenantChanges, upTo } from './system.js'

const SUBSCRIBERS = 2_000

/** Memory of the server for each idle subscriber: resident set after a collection, with and without them. */
export async function memory(): Promise<Figure[]> {
  const system = await startSystem()
  const subscribers = startChild('./fanout/subscribers.js', import.meta.url)
  try {
    await load(system.client, tenantChanges('integration', null, upTo(4)))
    const request = streamRequest(system, 'integration')
    const port = portOf(system)
    // The first connections make the runtime grow its pools; they are not counted.
    await subscribers.ask({ port, requests: Array.from({ length: 200 }, () => request) })
    const before = await system.usage()
    await subscribers.ask({ port, requests: Array.from({ length: SUBSCRIBERS }, () => request) })
    const after = await system.usage()
    const kilobytes = (after.rssBytes - before.rssBytes) / SUBSCRIBERS / 1_024
    return [
      {
        name: `memory per idle subscriber (of ${SUBSCRIBERS})`,
        value: kilobytes,
        unit: 'KB',
        target: { text: '<= 20 KB', holds: (value) => value <= 20 },
      },
    ]
  } finally {
    await subscribers.stop()
    await system.stop()
  }
}
