import { startChild } from './child.js'
import { processUsage } from './process-usage.js'
import type { Figure } from './result.js'
import type { StormResult } from './storm-clients.js'
import { load, portOf, startSystem, tenantChanges, upTo } from './system.js'

const SAMPLE_MS = 100

/**
 * All subscribers lose their connections at once, a write happens, and all come back in the same instant: harder than what the SDK
 * does, which spreads its reconnects over the window that the server asks for. Until every one holds the view with that write.
 */
export async function storm(subscribers: number): Promise<Figure[]> {
  const system = await startSystem()
  const clients = startChild('./storm-clients.js', import.meta.url)
  try {
    await load(system.client, tenantChanges('integration', null, upTo(50)))
    const target = { tenant: 'integration', service: 'service-0' }
    await system.client.applyDocument(target, { sequence: 0 })
    const idle = await system.usage()
    await clients.ask({ port: portOf(system), token: system.token, count: subscribers })
    await clients.ask({ drop: true })
    await system.client.applyDocument(target, { sequence: 1 })
    const watch = watchCpu(system.pid)
    const result = await clients.ask<StormResult>({ reconnect: 1 })
    const peakCores = watch.stop()
    const name = (what: string): string => `${subscribers} dropped at once, ${what}`
    const none = { text: '0', holds: (value: number) => value === 0 }
    return [
      { name: name('all hold the current view'), value: result.elapsedMs, unit: 'ms' },
      { name: name('peak CPU'), value: peakCores * 100, unit: '% of a core' },
      { name: name('peak memory'), value: processUsage(system.pid).peakRssBytes / 1e6, unit: 'MB' },
      { name: name('memory before any came'), value: idle.rssBytes / 1e6, unit: 'MB' },
      { name: name('connections refused or broken'), value: result.refused, unit: 'connections', target: none },
      { name: name('without the current view'), value: result.behind, unit: 'subscribers', target: none },
    ]
  } finally {
    await clients.stop()
    await system.stop()
  }
}

/** Samples a process's processor time; `stop` answers the most that it used of one core in an interval. */
function watchCpu(pid: number): { readonly stop: () => number } {
  let before = { at: performance.now(), cpuMs: processUsage(pid).cpuMs }
  let peak = 0
  const sample = (): void => {
    const now = { at: performance.now(), cpuMs: processUsage(pid).cpuMs }
    if (now.at - before.at < SAMPLE_MS / 2) return
    peak = Math.max(peak, (now.cpuMs - before.cpuMs) / (now.at - before.at))
    before = now
  }
  const timer = setInterval(sample, SAMPLE_MS)
  return {
    stop: () => {
      clearInterval(timer)
      sample()
      return peak
    },
  }
}
