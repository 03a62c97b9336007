import { expect, test } from 'vitest'
import type { PlatformResource } from '../platform.js'
import type { ContractWorld } from './contract-world.test-support.js'

/** How everything goes again. */
export function describeRemoval(world: ContractWorld): void {
  test('removes a space with all that is in it, and proves it', async () => {
    const orders = await world.run(await world.spec('orders', 'serves'))
    await world.run(await world.spec('stock', 'serves'))
    for (const resource of await world.platform.listResources())
      expect((await world.platform.verifyGone(resource)).gone).toBe(false)
    await world.platform.removeSpace(world.environment, world.context)
    expect(await world.platform.listWorkloads()).toEqual([])
    expect(await world.platform.listResources()).toEqual([])
    for (const resource of world.recorded) {
      const { gone, evidence } = await world.platform.verifyGone(resource)
      expect({ resource, gone }).toEqual({ resource, gone: true })
      expect(evidence.length).toBeGreaterThan(10)
    }
    await expect(world.ask(orders.endpoints, '/')).rejects.toThrow(/ECONNREFUSED|ENOTFOUND/)
  })

  test('removes what is not there without complaint', async () => {
    await world.platform.removeSpace('never-was', world.context)
    await world.platform.retireWorkloads({ environment: 'never-was', service: 'orders' }, world.context)
    expect(await world.platform.listResources()).toEqual([])
  })

  test('removes resources one by one', async () => {
    await world.run(await world.spec('orders', 'serves'))
    for (const resource of await world.platform.listResources())
      await world.platform.removeResource(resource, world.context)
    for (const resource of await world.platform.listResources())
      await world.platform.removeResource(resource, world.context)
    expect(await world.platform.listResources()).toEqual([])
    for (const resource of world.recorded)
      expect(await world.platform.verifyGone(resource)).toMatchObject({ gone: true })
  })

  test('does not touch what is not its own', async () => {
    const foreign: PlatformResource = { kind: 'no-such-kind', id: 'x', environment: world.environment }
    await expect(world.platform.removeResource(foreign, world.context)).rejects.toMatchObject({
      code: 'PLATFORM_RESOURCE_FOREIGN',
    })
  })
}
