import { startChild } from './child.js'
import type { Figure } from './result.js'
import { load, portOf, startSystem, streamRequest, tenantChanges, upTo } from './system.js'

const SERVICES = 50
const CHANGES = 40

/** What one base change costs. */
interface Cost {
  readonly cpuMs: number
}

/**
 * Processor time of the config center for one change of a base entry that every tenant's own copies hide but for `affected`
 * of them, with a subscriber for each tenant. It must follow the affected views, not the tenants.
 */
export async function baseChange(): Promise<Figure[]> {
  const few = 10
  const figures: Figure[] = []
  const alone = await measure({ tenants: few, affected: few })
  for (const tenants of [10, 100, 1_000]) {
    const cost = tenants === few ? alone : await measure({ tenants, affected: few })
    figures.push({
      name: `base change, ${tenants} tenants x ${SERVICES}, ${few} affected`,
      value: cost.cpuMs,
      unit: 'ms CPU',
      peer: { name: `${few} tenants, all affected`, value: alone.cpuMs },
      target: { text: '<= 2 x the cost without the others', holds: (_value, ratio) => (ratio ?? Infinity) <= 2 },
    })
  }
  for (const tenants of [100, 1_000]) {
    const cost = await measure({ tenants, affected: tenants })
    figures.push({
      name: `base change, ${tenants} tenants x ${SERVICES}, all affected`,
      value: cost.cpuMs,
      unit: 'ms CPU',
      peer: { name: `${few} tenants, all affected`, value: alone.cpuMs },
    })
  }
  return figures
}

async function measure({ tenants, affected }: { readonly tenants: number; readonly affected: number }): Promise<Cost> {
  const system = await startSystem()
  const subscribers = startChild('./fanout/subscribers.js', import.meta.url)
  try {
    await load(system.client, tenantChanges('integration', null, upTo(SERVICES)))
    for (const index of upTo(tenants)) {
      // Each has its own copies of all services but the last; the last is what changes, and only the affected ones lack it.
      const own = upTo(index < affected ? SERVICES - 1 : SERVICES)
      await load(system.client, tenantChanges(`tenant-${index}`, 'integration', own))
    }
    const requests = upTo(tenants).map((index) => streamRequest(system, `tenant-${index}`))
    await subscribers.ask({ port: portOf(system), requests })
    const before = await system.usage()
    for (const change of upTo(CHANGES)) {
      const [, entry] = tenantChanges('integration', null, [SERVICES - 1])
      if (entry?.op !== 'apply-entry') throw new Error('the second change is the entry')
      await system.client.transact({
        changes: [{ ...entry, spec: { ...entry.spec, version: `v1.0-${change}-abcdef0` } }],
      })
    }
    const after = await system.usage()
    return { cpuMs: (after.cpuMs - before.cpuMsAfterwards) / CHANGES }
  } finally {
    await subscribers.stop()
    await system.stop()
  }
}
