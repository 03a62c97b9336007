import { encodeOnBehalfOf, ON_BEHALF_OF_HEADER, type Explanation, type HistoryRecord } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, detailsOf, TestCenter } from './test-center.test-support.js'

let center: TestCenter

beforeEach(async () => {
  center = await TestCenter.start()
  await center.ok('PUT', '/v1/tenants/integration', { base: null })
})

afterEach(async () => {
  await center.close()
})

const onBehalfOf = (value: string): Record<string, string> => ({ [ON_BEHALF_OF_HEADER]: value })

async function writeAs(token: string, value: string) {
  const options = { token, body: { pageSize: 5 }, headers: onBehalfOf(value) }
  return center.call('PUT', '/v1/tenants/integration/documents/orders', options)
}

describe('a write on behalf of a person', () => {
  it('shows the person, and the token apart, in history and in explanations', async () => {
    const token = await center.token('deployer')
    expect((await writeAs(token, encodeOnBehalfOf('王小明'))).status).toBe(200)
    const { records } = await center.ok<{ records: HistoryRecord[] }>('GET', '/v1/tenants/integration/history')
    expect(records[0]).toMatchObject({ actor: 'a deployer (deployer)', onBehalfOf: '王小明' })
    const explained = await center.ok<Explanation>(
      'GET',
      '/v1/tenants/integration/explain?service=orders&path=/pageSize',
    )
    expect(explained.layers[0]).toMatchObject({ actor: 'a deployer (deployer)', onBehalfOf: '王小明' })
  })

  it('names nobody when the request names nobody', async () => {
    await center.ok('PUT', '/v1/tenants/integration/documents/orders', { pageSize: 5 })
    const { records } = await center.ok<{ records: HistoryRecord[] }>('GET', '/v1/tenants/integration/history')
    expect(records[0]).not.toHaveProperty('onBehalfOf')
  })

  it('is refused for tokens of viewers and tenants, for reads too', async () => {
    for (const token of [await center.token('viewer'), await center.token('tenant', 'integration')]) {
      const options = { token, headers: onBehalfOf('jane') }
      const answer = await center.call('GET', '/v1/tenants/integration/view', options)
      expect([answer.status, codeOf(answer)]).toEqual([403, 'PERMISSION_DENIED'])
    }
  })

  it('is refused, and nothing stored, when the name could not be shown', async () => {
    for (const value of ['', '%00', '%E2%80%AEevil', 'x'.repeat(129), '%E0%A4']) {
      const answer = await writeAs(center.adminToken, value)
      expect([value, answer.status, codeOf(answer), detailsOf(answer).in]).toEqual([
        value,
        400,
        'INVALID_REQUEST',
        'headers',
      ])
    }
    expect((await center.call('GET', '/v1/tenants/integration/documents/orders')).status).toBe(404)
  })
})
