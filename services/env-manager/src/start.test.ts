import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { createEnvManagerClient } from '@tributary/client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TestBench } from './reconcile/test-bench.test-support.js'
import { startEnvManager, type EnvManager, type EnvManagerOptions } from './start.js'

let bench: TestBench
let stopped: string[]
beforeEach(async () => {
  stopped = []
  bench = await TestBench.open()
})
afterEach(async () => {
  vi.useRealTimers()
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

  it('ends, however long requests may take, although a client has opened a connection and asks nothing', async () => {
    const manager = await startEnvManager(options())
    const silent = connect(Number(new URL(manager.url).port), '127.0.0.1')
    await once(silent, 'connect')
    // Answered after the silent connection was accepted, so the server knows of it.
    expect((await fetch(`${manager.url}/healthz`)).status).toBe(200)
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    await Promise.all([manager.close({ workloads: 'keep' }), once(silent, 'close')])
    expect(silent.bytesRead).toBe(0)
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
