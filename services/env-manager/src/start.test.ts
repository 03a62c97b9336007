import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createEnvManagerClient } from '@tributary/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestBench } from './reconcile/test-bench.test-support.js'
import { startEnvManager, type EnvManager, type EnvManagerOptions } from './start.js'

let bench: TestBench
let stopped: string[]
beforeEach(async () => {
  stopped = []
  bench = await TestBench.open()
})
afterEach(async () => {
  await bench.close()
})

function options(more: Partial<EnvManagerOptions> = {}): EnvManagerOptions {
  const { store, platform, sourceControl, routes, config } = bench.dependencies()
  const stop = async ({ workloads }: { readonly workloads: string }): Promise<void> => void stopped.push(workloads)
  const info = { tokenId: 't', name: 't', role: 'viewer', createdAt: '2026-01-01T00:00:00.000Z' } as const
  return {
    store,
    platform: { ...platform, stop },
    sourceControl,
    routes,
    config,
    // Port 9 (discard) refuses: the config center is down.
    configCenter: { url: 'http://127.0.0.1:9', token: 'x' },
    dataDirectory: bench.directory,
    callers: { identify: async () => info },
    ...more,
  }
}

describe('startEnvManager', () => {
  it('serves while the config center is down, says so, and ends once', async () => {
    const manager: EnvManager = await startEnvManager(options())
    const client = createEnvManagerClient({ baseUrl: manager.url, token: 'any' })
    const status = await client.getStatus()
    expect(status).toMatchObject({ instance: 'tributary', platform: 'local', configCenter: 'ERROR', frozen: null })
    await manager.close({ workloads: 'keep' })
    await manager.close({ workloads: 'stop' })
    expect(stopped).toEqual(['keep'])
    await expect(client.getStatus()).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' })
  })

  it('leaves nothing running when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo
    await expect(startEnvManager(options({ port }))).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(stopped).toEqual(['keep'])
    await new Promise((resolve) => other.close(resolve))
  })
})
