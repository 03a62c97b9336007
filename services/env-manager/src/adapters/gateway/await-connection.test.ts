import { describe, expect, it } from 'vitest'
import { AttemptFailure, deliver, PATIENCE_MS } from './await-connection.js'
import type { GatewayTarget } from './gateway-routing.js'

const TARGET: GatewayTarget = {
  environment: 'feature-x',
  service: 'orders',
  owner: 'feature-x',
  endpoint: { name: 'http', protocol: 'http', host: 'orders.feature-x.svc.cluster.local', port: 8080 },
}
const withCode = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

/** How long each attempt was given for its connection, where the first `failing` do not get one. */
async function waits(failing: number): Promise<readonly number[]> {
  const given: number[] = []
  await deliver({
    find: () => TARGET,
    attempt: async (_, connectMs) => {
      given.push(connectMs)
      if (given.length <= failing) throw new AttemptFailure(withCode('ETIMEDOUT'), true)
    },
    isOver: () => false,
    patienceMs: 60_000,
  })
  return given
}

describe('deliver', () => {
  it('begins at least five attempts within its patience although no connection comes: half of a Service’s addresses may be dead', async () => {
    const given = await waits(4)
    expect(given).toHaveLength(5)
    // The four pauses between them take less than a second.
    expect(given.slice(0, 4).reduce((sum, one) => sum + one, 0)).toBeLessThan(PATIENCE_MS - 900)
  })

  it('gives each attempt more time than the one before, up to what a connection across the world takes', async () => {
    const given = await waits(7)
    expect(given).toEqual(given.toSorted((left, right) => left - right))
    expect(given.at(-1)).toBe(1_500)
  })

  it('tells of the last failure once the service may have heard of the request', async () => {
    const attempt = async (): Promise<void> => {
      throw new AttemptFailure(withCode('ECONNRESET'), false)
    }
    const failing = deliver({ find: () => TARGET, attempt, isOver: () => false, patienceMs: 60_000 })
    await expect(failing).rejects.toMatchObject({ code: 'GATEWAY_UPSTREAM_DOWN', details: { owner: 'feature-x' } })
  })
})
