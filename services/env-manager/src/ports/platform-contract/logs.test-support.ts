import { expect, test } from 'vitest'
import type { WorkloadLogLine } from '../platform.js'
import type { ContractWorld } from './contract-world.test-support.js'

/** How logs are read. */
export function describeLogs(world: ContractWorld): void {
  test('reads the last lines of a service', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    await world.ask(status.endpoints, '/one')
    await world.ask(status.endpoints, '/two')
    await world.until(async () =>
      (await read(world, { tailLines: 100, follow: false })).some(({ text }) => text.includes('/two')),
    )
    const lines = await read(world, { tailLines: 2, follow: false })
    expect(lines).toHaveLength(2)
    expect(await read(world, { tailLines: 0, follow: false })).toEqual([])
  })

  test('follows what a service prints until it is told to stop', async () => {
    const status = await world.run(await world.spec('orders', 'serves'))
    const controller = new AbortController()
    const lines = world.platform.readLogs(
      { environment: world.environment, service: 'orders' },
      { tailLines: 100, follow: true, signal: controller.signal },
    )
    const seen: string[] = []
    const reading = (async () => {
      for await (const line of lines) {
        seen.push(line.text)
        if (line.text.includes('/last')) controller.abort()
      }
    })()
    await world.ask(status.endpoints, '/first')
    await world.ask(status.endpoints, '/last')
    await reading
    expect(seen.filter((text) => /\/(first|last)/.test(text))).toHaveLength(2)
  })
}

async function read(
  world: ContractWorld,
  options: { readonly tailLines: number; readonly follow: boolean },
): Promise<WorkloadLogLine[]> {
  const lines: WorkloadLogLine[] = []
  const target = { environment: world.environment, service: 'orders' }
  for await (const line of world.platform.readLogs(target, { ...options, signal: world.controller.signal }))
    lines.push(line)
  return lines
}
