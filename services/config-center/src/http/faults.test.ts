import { AppError } from '@tributary/kit'
import type { RevisionedStore } from '@tributary/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, TestCenter } from './test-center.test-support.js'

type Fault = Partial<Pick<RevisionedStore, 'transact' | 'currentRevision' | 'range'>>

let real: TestCenter
let center: TestCenter
let fault: Fault

const unavailable = (): AppError =>
  new AppError({ kind: 'unavailable', code: 'STORE_UNAVAILABLE', message: 'The store does not answer.' })

beforeEach(async () => {
  fault = {}
  real = await TestCenter.start()
  const store = new Proxy(real.store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(fault, name) ?? Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  center = await TestCenter.start({ store, timeouts: { readMs: 50, writeMs: 50 } })
  await center.ok('PUT', '/v1/tenants/integration', {})
})

afterEach(async () => {
  fault = {}
  await center.close()
  await real.close()
})

describe('when the store is away', () => {
  it('reads and writes answer 503 with Retry-After, and go on when it is back', async () => {
    fault = { currentRevision: () => Promise.reject(unavailable()) }
    for (const [method, url, body] of [
      ['GET', '/v1/tenants', undefined],
      ['GET', '/v1/tenants/integration/view', undefined],
      ['PUT', '/v1/tenants/feature-x', {}],
    ] as const) {
      const answer = await center.call(method, url, { body })
      expect([answer.status, codeOf(answer), answer.headers['retry-after']]).toEqual([503, 'STORE_UNAVAILABLE', '1'])
    }
    fault = {}
    await center.ok('PUT', '/v1/tenants/feature-x', {})
  })

  it('a write of unknown outcome says so, and repeating it changes nothing twice', async () => {
    fault = {
      transact: async (request) => {
        await real.store.transact(request)
        throw unavailable()
      },
    }
    const answer = await center.call('PUT', '/v1/tenants/feature-x', { body: {} })
    expect([answer.status, codeOf(answer)]).toEqual([503, 'WRITE_OUTCOME_UNKNOWN'])
    expect(answer.body).toMatchObject({ error: { retryable: true } })
    fault = {}
    expect(await center.ok('PUT', '/v1/tenants/feature-x', {})).toMatchObject({ changed: false })
  })

  it('a read that the store never answers is given up', async () => {
    fault = { currentRevision: () => new Promise(() => undefined) }
    const answer = await center.call('GET', '/v1/tenants')
    expect([answer.status, codeOf(answer), answer.headers['retry-after']]).toEqual([503, 'READ_TIMEOUT', '1'])
  })

  it('a write that the store never acknowledges is given up, and does not hold up the next one', async () => {
    fault = {
      transact: (_request, options) =>
        new Promise((_resolve, reject) => {
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason))
        }),
    }
    const answer = await center.call('PUT', '/v1/tenants/feature-x', { body: {} })
    expect([answer.status, codeOf(answer)]).toEqual([503, 'WRITE_OUTCOME_UNKNOWN'])
    fault = {}
    await center.ok('PUT', '/v1/tenants/feature-x', {})
  })

  it('a write that always loses against others gives up with 503, having written nothing', async () => {
    fault = { transact: async () => ({ succeeded: false, storeRevision: await real.store.currentRevision() }) }
    const answer = await center.call('PUT', '/v1/tenants/feature-x', { body: {} })
    expect([answer.status, codeOf(answer)]).toEqual([503, 'WRITE_CONTENTION'])
    expect(codeOf(await real.call('GET', '/v1/tenants/feature-x'))).toBe('TENANT_NOT_FOUND')
  })

  it('a store that is full answers 429, and reads go on', async () => {
    const full = new AppError({ kind: 'resource_exhausted', code: 'STORE_FULL', message: 'The disk is full.' })
    fault = { transact: () => Promise.reject(full) }
    const answer = await center.call('PUT', '/v1/tenants/feature-x', { body: {} })
    expect([answer.status, codeOf(answer)]).toEqual([429, 'STORE_FULL'])
    await center.ok('GET', '/v1/tenants')
  })

  it('a bug answers 500 and does not tell what it was', async () => {
    fault = { range: () => Promise.reject(new Error('secret at line 5')) }
    const answer = await center.call('GET', '/v1/tenants/integration/history')
    expect([answer.status, codeOf(answer)]).toEqual([500, 'INTERNAL'])
    expect(JSON.stringify(answer.body)).not.toContain('secret')
  })
})

describe('/readyz and /healthz', () => {
  it('answer without a token', async () => {
    expect(await center.call('GET', '/healthz', { token: null })).toMatchObject({ status: 200, body: { status: 'ok' } })
    expect(await center.call('GET', '/readyz', { token: null })).toMatchObject({
      status: 200,
      body: { status: 'ready' },
    })
    const probe = await center.center.app.inject({ method: 'HEAD', url: '/readyz' })
    expect([probe.statusCode, probe.payload]).toEqual([200, ''])
  })
})
