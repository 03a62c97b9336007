import { connect } from '@tributary/sdk'
import { eventually } from '@tributary/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../../../errors.js'
import { startRealConfigCenter, type RealConfigCenter } from '../../../testing/real-config-center.test-support.js'

let center: RealConfigCenter

beforeAll(async () => {
  center = await startRealConfigCenter()
  await center.client.applyTenant('integration', { base: null })
  await center.client.applyDocument({ tenant: 'integration', service: 'orders' }, { pageSize: 20 })
})
afterAll(() => center.close())

const gray = (...args: string[]) => center.tributary('config', 'gray', ...args)

async function instance(name: string) {
  const { url, token } = center
  return connect({ url, token, tenant: 'integration', service: 'orders', instance: name })
}

describe('tributary config gray', () => {
  it('gives one of two real clients a value first, shows who has it, and promotes it to the other', async () => {
    const [one, other] = [await instance('orders-1'), await instance('orders-2')]
    try {
      const sizes = () => [one, other].map((client) => client.config.get('pageSize'))
      const started = await gray(
        'start',
        'integration',
        'orders',
        'pageSize=50',
        '--instance',
        'orders-1',
        '--wait',
        '10s',
      )
      expect(started.stdout).toContain('1 of 1 subscriber has it')
      expect(sizes()).toEqual([50, 20])
      const listed = await gray('list', 'integration')
      expect(listed.stdout).toMatch(/orders +\{"pageSize":50\} +orders-1 +1 of 2 +orders-1/)
      expect((await gray('promote', 'integration', 'orders', '--wait', '10s')).status).toBe(EXIT_CODES.ok)
      await eventually(() => expect(sizes()).toEqual([50, 50]))
      expect((await gray('list', 'integration')).stdout).toContain('No gray release is under way')
    } finally {
      await Promise.all([one.close(), other.close()])
    }
  })

  it('shows who would get what before it begins, and then reaches just those', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, (_, index) => instance(`drawn-${index}`)))
    try {
      const tried = await gray('start', 'integration', 'orders', 'colour=red', '--percent', '50', '--dry-run')
      expect(tried.stdout).toMatch(/\d of 8 live subscribers would get it/)
      expect(tried.stdout).toMatch(/\/colour +- +"red"/)
      expect((await gray('list', 'integration')).stdout).toContain('No gray release is under way')
      const shown = [...tried.stdout.matchAll(/^ {2}(drawn-\d)$/gm)].map(([, name]) => name)
      const [, draw = ''] = /--draw (\S+)/.exec(tried.stdout) ?? []
      const members = ['--percent', '50', '--draw', draw, '--wait', '10s']
      expect((await gray('start', 'integration', 'orders', 'colour=red', ...members)).status).toBe(EXIT_CODES.ok)
      const { subscriptions } = await center.client.listSubscriptions({ tenant: 'integration' })
      const reached = subscriptions.filter((one) => one.gray === true).map((one) => one.instance)
      expect(reached.sort()).toEqual(shown)
      await gray('abort', 'integration', 'orders')
    } finally {
      await Promise.all(clients.map((client) => client.close()))
    }
  })

  it('aborts one, and says that there is none', async () => {
    await gray('start', 'integration', 'orders', 'pageSize=1', '--percent', '10')
    expect((await gray('abort', 'integration', 'orders')).status).toBe(EXIT_CODES.ok)
    expect((await gray('abort', 'integration', 'orders')).status).toBe(EXIT_CODES.notFound)
  })

  it('wants to know whom it is to reach', async () => {
    for (const members of [[], ['--percent', '5', '--instance', 'a'], ['--percent', '101']]) {
      expect((await gray('start', 'integration', 'orders', 'a=1', ...members)).status).toBe(EXIT_CODES.usage)
    }
  })
})
