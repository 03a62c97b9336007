import { expect, test } from 'vitest'
import type { PlatformCapability, PlatformContext } from '../platform.js'
import type { ContractWorld } from './contract-world.test-support.js'

/** How copies are deployed. */
export function describeDeploys(world: ContractWorld, capabilities: ReadonlySet<PlatformCapability>): void {
  test('runs a service until it is healthy and tells where it answers', async () => {
    const spec = await world.spec('orders', 'serves', {
      environmentVariables: { GREETING: 'hello' },
      secrets: { 'session-key': 's3cret' },
    })
    const status = await world.run(spec)
    expect(status).toMatchObject({
      environment: world.environment,
      service: 'orders',
      commitSha: spec.commitSha,
      health: 'healthy',
      message: null,
      restarts: 0,
    })
    const { variables } = JSON.parse((await world.ask(status.endpoints, '/')).text)
    expect(variables).toMatchObject({ GREETING: 'hello', TRIBUTARY_SECRET_SESSION_KEY: 's3cret' })
    expect(world.logged.join('\n')).not.toContain('s3cret')
    expect(await world.platform.listWorkloads(world.environment)).toEqual([
      expect.objectContaining({ workloadId: status.workloadId, health: 'healthy' }),
    ])
  })

  test('answers the running copy when it is asked for the same again', async () => {
    const spec = await world.spec('orders', 'serves')
    const first = await world.run(spec)
    const again = await world.platform.deployWorkload(spec, world.context)
    expect(again).toMatchObject({ workloadId: first.workloadId, endpoints: first.endpoints })
    expect(await world.platform.listWorkloads()).toHaveLength(1)
  })

  test.runIf(capabilities.has('in-place-upgrade'))(
    'replaces the old copy in place, and never answers worse',
    async () => {
      const old = await world.run(await world.spec('orders', 'serves'))
      const spec = await world.spec('orders', 'serves')
      const { workloadId } = await world.platform.deployWorkload(spec, world.context)
      expect(workloadId).not.toBe(old.workloadId)
      const seen: number[] = []
      const upgraded = new AbortController()
      const asking = (async () => {
        while (!upgraded.signal.aborted) seen.push((await world.ask(old.endpoints, '/')).status)
      })()
      await world.healthy(workloadId)
      upgraded.abort()
      await asking
      expect(new Set(seen)).toEqual(new Set([200]))
      await world.platform.retireWorkloads(
        { environment: world.environment, service: 'orders', keepWorkloadId: workloadId },
        world.context,
      )
      expect((await world.platform.listWorkloads()).map((workload) => workload.workloadId)).toEqual([workloadId])
    },
  )

  test.runIf(capabilities.has('in-place-upgrade'))('goes back to the copy that is to be kept', async () => {
    const old = await world.run(await world.spec('orders', 'serves'))
    const { workloadId } = await world.platform.deployWorkload(await world.spec('orders', 'never-ready'), world.context)
    expect((await world.platform.listWorkloads()).map((workload) => workload.workloadId)).toEqual([workloadId])
    // It cannot get ready, so the old one still answers.
    expect((await world.ask(old.endpoints, '/')).status).toBe(200)
    await world.platform.retireWorkloads(
      { environment: world.environment, service: 'orders', keepWorkloadId: old.workloadId },
      world.context,
    )
    expect(await world.healthy(old.workloadId)).toMatchObject({ commitSha: old.commitSha, version: old.version })
    expect((await world.platform.listWorkloads()).map((workload) => workload.workloadId)).toEqual([old.workloadId])
  })

  test.runIf(!capabilities.has('in-place-upgrade'))('keeps the old copy serving until it is retired', async () => {
    const old = await world.run(await world.spec('orders', 'serves'))
    const next = await world.run(await world.spec('orders', 'serves'))
    expect(next.workloadId).not.toBe(old.workloadId)
    expect((await world.ask(old.endpoints, '/')).status).toBe(200)
    await world.platform.retireWorkloads(
      { environment: world.environment, service: 'orders', keepWorkloadId: next.workloadId },
      world.context,
    )
    expect((await world.platform.listWorkloads()).map(({ workloadId }) => workloadId)).toEqual([next.workloadId])
    await expect(world.ask(old.endpoints, '/')).rejects.toThrow(/ECONNREFUSED|ENOTFOUND/)
    expect((await world.ask(next.endpoints, '/')).status).toBe(200)
  })

  test('keeps environments and services apart', async () => {
    const spec = await world.spec('orders', 'serves')
    const [here, there, other] = [
      await world.run(spec),
      await world.run({ ...spec, environment: world.harness.environments.other }),
      await world.run(await world.spec('stock', 'serves')),
    ]
    await world.platform.retireWorkloads({ environment: world.environment, service: 'orders' }, world.context)
    const left = (await world.platform.listWorkloads()).map(({ workloadId }) => workloadId)
    expect(left.sort()).toEqual([there.workloadId, other.workloadId].sort())
    expect(left).not.toContain(here.workloadId)
    expect((await world.ask(there.endpoints, '/')).status).toBe(200)
  })

  test('makes nothing when it cannot be recorded first', async () => {
    const spec = await world.spec('orders', 'serves')
    const refusing: PlatformContext = {
      ...world.context,
      record: () => Promise.reject(new Error('the ledger is full')),
    }
    await expect(world.platform.ensureSpace(world.environment, 1, refusing)).rejects.toThrow('the ledger is full')
    expect(await world.platform.listResources()).toEqual([])
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const empty = await world.platform.listResources()
    await expect(world.platform.deployWorkload(spec, refusing)).rejects.toThrow('the ledger is full')
    expect(await world.platform.listResources()).toEqual(empty)
    expect(await world.platform.listWorkloads()).toEqual([])
  })

  test('makes nothing that was not recorded', async () => {
    await world.run(await world.spec('orders', 'serves'))
    const recorded = new Set(world.recorded.map(({ kind, id }) => `${kind} ${id}`))
    const resources = await world.platform.listResources()
    expect(resources.length).toBeGreaterThan(0)
    for (const { kind, id } of resources) expect(recorded).toContain(`${kind} ${id}`)
  })
}
