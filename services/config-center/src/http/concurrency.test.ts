import type { ConfigDocument, HistoryRecord, Tenant, WriteResult } from '@tributary/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter, type Answer } from './test-center.test-support.js'

const DOCUMENT = '/v1/tenants/feature-x/documents/orders'

let one: TestCenter
let two: TestCenter

/** Two replicas of the config center on one store. */
beforeEach(async () => {
  one = await TestCenter.start()
  two = await TestCenter.start({ store: one.store })
  await one.ok('PUT', '/v1/tenants/integration', {})
  await one.ok('PUT', '/v1/tenants/feature-x', {})
})

afterEach(async () => {
  await two.close()
  await one.close()
})

function replica(index: number): TestCenter {
  return index % 2 === 0 ? one : two
}

function statuses(answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status).sort()
}

describe('writers at the same time', () => {
  it('with the same precondition: one wins, all others get 409 with what it wrote', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        replica(index).call('PUT', `${DOCUMENT}?expectedRevision=0`, { body: { winner: index } }),
      ),
    )
    expect(statuses(answers)).toEqual([200, ...Array.from({ length: 9 }, () => 409)])
    const winner = answers.findIndex(({ status }) => status === 200)
    expect(await one.ok<ConfigDocument>('GET', DOCUMENT)).toMatchObject({ data: { winner } })
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expect(answer.body).toMatchObject({
        error: { code: 'REVISION_CONFLICT', details: { current: { data: { winner } } } },
      })
    }
  })

  it('without a precondition: every patch is applied, on both replicas, and recorded once', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `m${index}`)
    await Promise.all(names.map((name, index) => replica(index).ok('PATCH', DOCUMENT, { [name]: index })))
    const document = await two.ok<ConfigDocument>('GET', DOCUMENT)
    expect(Object.keys(document.data).sort()).toEqual([...names].sort())
    const { records } = await one.ok<{ records: HistoryRecord[] }>(
      'GET',
      '/v1/tenants/feature-x/history?service=orders',
    )
    expect(records).toHaveLength(40)
    const revisions = records.map(({ storeRevision }) => BigInt(storeRevision))
    expect(revisions).toEqual([...revisions].sort((left, right) => (left < right ? 1 : -1)))
    expect(
      records.every(({ changes }, index) => {
        const older = records[index + 1]?.changes[0]?.after ?? null
        return JSON.stringify(changes[0]?.before) === JSON.stringify(older)
      }),
    ).toBe(true)
  })

  it('never make a cycle of two base changes', async () => {
    await one.ok('PUT', '/v1/tenants/feature-y', {})
    const answers = await Promise.all([
      one.call('PUT', '/v1/tenants/feature-x', { body: { base: 'feature-y' } }),
      two.call('PUT', '/v1/tenants/feature-y', { body: { base: 'feature-x' } }),
    ])
    expect(statuses(answers)).toEqual([200, 422])
    expect(answers.map(codeOf)).toContain('TENANT_CYCLE')
  })

  it('never leave a tenant without its base when one deletes it and another overlays it', async () => {
    for (let round = 0; round < 10; round += 1) {
      await one.ok('PUT', `/v1/tenants/base-${round}`, {})
      const [deleted, created] = await Promise.all([
        one.call('DELETE', `/v1/tenants/base-${round}`),
        two.call('PUT', `/v1/tenants/child-${round}`, { body: { base: `base-${round}` } }),
      ])
      expect([deleted.status, created.status].sort()).toEqual([200, 422])
    }
    const { tenants } = await one.ok<{ tenants: Tenant[] }>('GET', '/v1/tenants')
    expect(tenants.every(({ chain }) => chain.at(-1) === 'integration')).toBe(true)
  })

  it('never leave a token of a tenant that was deleted meanwhile', async () => {
    for (let round = 0; round < 10; round += 1) {
      const tenant = `feature-${round}`
      await one.ok('PUT', `/v1/tenants/${tenant}`, {})
      const body = { name: 'env', role: 'tenant', tenant }
      await Promise.all([one.call('DELETE', `/v1/tenants/${tenant}`), two.call('POST', '/v1/tokens', { body })])
    }
    const { tokens } = await one.ok<{ tokens: { role: string }[] }>('GET', '/v1/tokens')
    expect(tokens.filter(({ role }) => role === 'tenant')).toEqual([])
  })
})

describe('a write on one replica', () => {
  it('is seen at once by a read on the other', async () => {
    for (let index = 0; index < 20; index += 1) {
      const { storeRevision } = await one.ok<WriteResult>('PUT', DOCUMENT, { index })
      expect(await two.ok<ConfigDocument>('GET', DOCUMENT)).toMatchObject({ data: { index }, revision: storeRevision })
    }
  })

  it('of a token is known at once to the other', async () => {
    const token = await one.token('viewer')
    expect((await two.call('GET', '/v1/tokens/self', { token })).status).toBe(200)
  })
})
