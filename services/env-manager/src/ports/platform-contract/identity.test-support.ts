import { expect, test } from 'vitest'
import type { PlatformCapability } from '../platform.js'
import type { ContractWorld } from './contract-world.test-support.js'

/** What a platform says of itself. */
export function describeIdentity(world: ContractWorld, capabilities: ReadonlySet<PlatformCapability>): void {
  test('declares what it can do', () => {
    expect(world.platform.capabilities).toEqual(capabilities)
  })

  test('knows no workloads and no resources at first', async () => {
    expect(await world.platform.listWorkloads()).toEqual([])
    expect(await world.platform.listResources()).toEqual([])
  })

  test('says so when a workload is not there', async () => {
    const waiting = world.platform.awaitHealthy('nothing', { signal: world.controller.signal, timeoutMs: 100 })
    await expect(waiting).rejects.toMatchObject({ code: 'PLATFORM_WORKLOAD_NOT_FOUND' })
  })
}
