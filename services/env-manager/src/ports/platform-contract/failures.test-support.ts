import { expect, test } from 'vitest'
import type { ContractWorld } from './contract-world.test-support.js'

/** For what is known to be so already. */
const SHORT_MS = 500

/** What is said of copies that do not come up. */
export function describeFailures(world: ContractWorld): void {
  test('fails early, with the last log lines, when a service keeps dying', async () => {
    const spec = await world.spec('orders', 'dies')
    await expect(world.run(spec)).rejects.toMatchObject({
      code: 'PLATFORM_UNHEALTHY',
      message: expect.stringContaining('fatal: no database'),
    })
  })

  test('fails at the deadline when a service never gets ready', async () => {
    const spec = await world.spec('orders', 'never-ready')
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const { workloadId } = await world.platform.deployWorkload(spec, world.context)
    // A program that has not even begun when the time is up says nothing.
    await world.until(async () => (await world.platform.listWorkloads())[0]?.message?.includes('503') === true)
    const waiting = world.platform.awaitHealthy(workloadId, {
      signal: world.controller.signal,
      timeoutMs: SHORT_MS,
    })
    await expect(waiting).rejects.toMatchObject({ code: 'PLATFORM_UNHEALTHY', message: expect.stringContaining('503') })
    expect((await world.platform.listWorkloads())[0]).toMatchObject({
      health: 'starting',
      message: expect.stringContaining('503'),
    })
  })

  test('stops waiting when nobody wants the result any more', async () => {
    const spec = await world.spec('orders', 'never-ready')
    await world.platform.ensureSpace(world.environment, 1, world.context)
    const { workloadId } = await world.platform.deployWorkload(spec, world.context)
    const controller = new AbortController()
    const waiting = world.platform.awaitHealthy(workloadId, { signal: controller.signal, timeoutMs: world.deadlineMs })
    controller.abort()
    await expect(waiting).rejects.toMatchObject({ kind: 'canceled' })
  })

  test('starts a service again that died, at the same address, and tells that it changed', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    const [endpoint] = status.endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    const watching = new AbortController()
    const changes = world.platform.watchChanges({ signal: watching.signal })[Symbol.asyncIterator]()
    await world.harness.kill(endpoint)
    expect(await changes.next()).toEqual({ done: false, value: world.environment })
    await world.until(async () => (await world.platform.listWorkloads())[0]?.restarts === 1)
    const recovered = await world.platform.awaitHealthy(status.workloadId, {
      signal: watching.signal,
      timeoutMs: world.deadlineMs,
    })
    expect(recovered).toMatchObject({ endpoints: status.endpoints, restarts: 1, health: 'healthy' })
    watching.abort()
    await world.until(async () => (await changes.next()).done === true)
  })
}
