import { isAppError } from '@tributary/kit'
import { describe, expect, it } from 'vitest'
import { type EtcdStoreOptions, resolveEtcdOptions } from './etcd-options.js'

const GOOD: EtcdStoreOptions = { endpoints: ['http://127.0.0.1:2379'], prefix: 'tributary/config-center/' }

describe('the options of an etcd store', () => {
  it('name members by host and port, with the port of etcd by default', () => {
    const endpoints = ['https://etcd-0:443', 'https://[::1]:2379/', 'https://etcd-2']
    expect(resolveEtcdOptions({ ...GOOD, endpoints }).addresses).toEqual(['etcd-0:443', '[::1]:2379', 'etcd-2:2379'])
  })

  it('encrypt exactly when the endpoints say so', () => {
    expect(resolveEtcdOptions(GOOD).tls).toBeUndefined()
    expect(resolveEtcdOptions({ ...GOOD, endpoints: ['https://etcd:2379'] }).tls).toEqual({})
  })

  it.each<[string, Partial<EtcdStoreOptions>]>([
    ['endpoints', { endpoints: [] }],
    ['endpoints', { endpoints: ['http://a:1', 'https://b:1'] }],
    ['endpoints[0]', { endpoints: ['http://root:s3cret@a:1'] }],
    ['endpoints[0]', { endpoints: ['a:2379'] }],
    ['endpoints[0]', { endpoints: ['http://a:1/path'] }],
    ['tls', { tls: { ca: 'pem' } }],
    ['prefix', { prefix: '' }],
    ['prefix', { prefix: '/' }],
    ['prefix', { prefix: 'tributary' }],
    ['callTimeoutMs', { callTimeoutMs: 0 }],
    ['watchOutageMs', { watchOutageMs: NaN }],
    ['bookmarkIntervalMs', { bookmarkIntervalMs: -1 }],
  ])('are refused with the name %s: %o', (name, options) => {
    let error: unknown
    try {
      resolveEtcdOptions({ ...GOOD, ...options })
    } catch (thrown) {
      error = thrown
    }
    expect(isAppError(error, 'STORE_INVALID_REQUEST') && error.message).toContain(name)
    expect(String(error)).not.toContain('s3cret')
  })
})
