import { expect, test } from 'vitest'
import type { ContractWorld } from './contract-world.test-support.js'

/** How names of services lead to copies, where a platform makes them. */
export function describeServiceNames(world: ContractWorld): void {
  test('lets a name lead to the owner of an inherited service, then to the own copy, and back', async () => {
    const base = { ...(await world.spec('orders', 'serves')), environment: world.harness.environments.base }
    const inherited = await world.run(base)
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const { endpoints } = inherited
    const [endpoint] = endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    const bare = {
      ...endpoint,
      host: endpoint.host.replace(world.harness.environments.base, world.environment),
      port: 80,
    }
    const ask = async (): Promise<unknown> => JSON.parse((await world.harness.get(bare, '/')).text)
    const names = [{ service: 'orders', state: 'inherited' as const, endpoints }]
    await world.platform.applyServiceNames(world.environment, async () => names, world.context)
    expect(await ask()).toMatchObject({ version: inherited.version })
    const own = await world.run(await world.spec('orders', 'serves'))
    expect(await ask()).toMatchObject({ version: own.version })
    await world.platform.applyServiceNames(world.environment, async () => names, world.context)
    expect(await ask()).toMatchObject({ version: inherited.version })
    await world.platform.applyServiceNames(world.environment, async () => [], world.context)
    await expect(ask()).rejects.toThrow('ENOTFOUND')
  })

  test('proves the address of a copy before anybody is told of it: it answers at the first attempt', async () => {
    const base = { ...(await world.spec('orders', 'serves')), environment: world.harness.environments.base }
    const { endpoints } = await world.run(base)
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const inherited = [{ service: 'orders', state: 'inherited' as const, endpoints }]
    await world.platform.applyServiceNames(world.environment, async () => inherited, world.context)
    const spec = await world.spec('orders', 'serves')
    const workload = await world.platform.deployWorkload(spec, world.context)
    await world.healthy(workload.workloadId)
    const copies = [{ service: 'orders', state: 'own' as const, endpoints: workload.endpoints }]
    const open = { environment: world.environment, copies }
    const answer = await world.platform.openAddresses(
      open,
      async (unreached) => {
        expect([...unreached]).toEqual([])
        return world.askOnce(workload.endpoints, '/')
      },
      world.context,
    )
    expect(JSON.parse(answer.text)).toMatchObject({ version: spec.version })
  })

  test('makes no names where there is no space', async () => {
    const endpoints = [{ name: 'http', protocol: 'http' as const, host: 'orders.base.svc.cluster.local', port: 8080 }]
    const names = [{ service: 'orders', state: 'inherited' as const, endpoints }]
    await world.platform.applyServiceNames('never-was', async () => names, world.context)
    expect(await world.platform.listResources()).toEqual([])
  })
}
