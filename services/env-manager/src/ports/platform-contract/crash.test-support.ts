import { expect, test } from 'vitest'
import type { ContractWorld } from './contract-world.test-support.js'

/** What a new manager finds. */
export function describeCrash(world: ContractWorld): void {
  test('finds its workloads again after the manager has died, without touching them', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    const before = JSON.parse((await world.ask(status.endpoints, '/')).text)
    world.platformNow = await world.harness.crash()
    const adopted = await world.platform.awaitHealthy(status.workloadId, {
      signal: world.controller.signal,
      timeoutMs: world.deadlineMs,
    })
    expect(adopted).toMatchObject({
      endpoints: status.endpoints,
      version: status.version,
      restarts: 0,
      startedAt: status.startedAt,
    })
    expect(JSON.parse((await world.ask(status.endpoints, '/')).text).pid).toBe(before.pid)
    await world.platform.removeSpace(world.environment, world.context)
    for (const resource of world.recorded)
      expect(await world.platform.verifyGone(resource)).toMatchObject({ gone: true })
  })
}
