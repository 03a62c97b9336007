import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { etcdMissing, startEtcd } from './etcd-process.js'
import type { Figure } from './result.js'
import { load, startSystem, tenantChanges, upTo, type SystemStore } from './system.js'

const TENANTS = 1_000
const SERVICES = 50
/** Writers that load side by side: a transaction waits for the disk, and tenants do not wait for each other. */
const WRITERS = 16

/** A replica that starts on a store with 1,000 tenants of 50 services each: until it is ready, and the memory that it then has. */
export async function startup(): Promise<Figure[]> {
  const figures = await measure('the embedded store', {})
  const reason = etcdMissing()
  if (reason !== undefined) {
    process.stderr.write(`startup: from etcd not measured: ${reason}\n`)
    return figures
  }
  const etcd = await startEtcd()
  try {
    return [...figures, ...(await measure('etcd', { etcdPort: etcd.port }))]
  } finally {
    await etcd.stop()
  }
}

async function measure(from: string, where: SystemStore): Promise<Figure[]> {
  // The folder also holds the token's file, so that the second start makes no token.
  const folder = await mkdtemp(path.join(tmpdir(), 'tributary-bench-'))
  try {
    const empty = await fill({ ...where, folder })
    const system = await startSystem({ ...where, folder })
    try {
      const { rssBytes, cpuMs } = await system.usage()
      const name = `${TENANTS} tenants x ${SERVICES} from ${from}`
      return [
        {
          name: `${name}, ready after`,
          value: system.readyMs,
          unit: 'ms',
          target: { text: '<= 3,000 ms', holds: (value) => value <= 3_000 },
        },
        { name: `${name}, processor time of the process until then`, value: cpuMs, unit: 'ms' },
        { name: `${name}, memory over an empty one`, value: (rssBytes - empty) / 1e6, unit: 'MB' },
      ]
    } finally {
      await system.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Writes the data and answers the memory that the config center had before. */
async function fill(where: SystemStore): Promise<number> {
  const system = await startSystem(where)
  try {
    const { rssBytes } = await system.usage()
    await load(system.client, tenantChanges('integration', null, upTo(SERVICES)))
    const queue = upTo(TENANTS - 1).values()
    const write = async (): Promise<void> => {
      for (const index of queue) {
        await load(system.client, tenantChanges(`tenant-${index}`, 'integration', upTo(SERVICES)))
      }
    }
    await Promise.all(Array.from({ length: WRITERS }, write))
    return rssBytes
  } finally {
    await system.stop()
  }
}
