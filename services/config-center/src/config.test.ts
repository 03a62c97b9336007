import { resolve } from 'node:path'
import { isAppError } from '@tributary/kit'
import { describe, expect, it } from 'vitest'
import { readConfig, type ProcessEnvironment } from './config.js'

function problemsOf(env: ProcessEnvironment): unknown {
  try {
    readConfig(env)
  } catch (error) {
    return isAppError(error, 'CONFIG_INVALID') ? error.details.problems : error
  }
  return []
}

describe('readConfig', () => {
  it('has defaults that are safe', () => {
    const dataDir = resolve('.tributary/config-center')
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 7400,
      dataDir,
      store: { kind: 'embedded' },
      adminTokenFile: `${dataDir}/admin.token`,
      historyLimits: { maxRecords: 10_000, maxAgeMs: 400 * 86_400_000 },
      logLevel: 'info',
    })
  })

  it('takes what the environment says', () => {
    const env = {
      TRIBUTARY_HOST: '::1',
      TRIBUTARY_PORT: '0',
      TRIBUTARY_DATA_DIR: '/data',
      TRIBUTARY_STORE: 'etcd',
      TRIBUTARY_ETCD_ENDPOINTS: 'http://10.0.0.1:2379',
      TRIBUTARY_ADVERTISED_URL: 'http://10.0.0.9:7400',
      TRIBUTARY_ADMIN_TOKEN_FILE: '/run/admin',
      TRIBUTARY_HISTORY_MAX_RECORDS: '50',
      TRIBUTARY_HISTORY_MAX_DAYS: '2',
      TRIBUTARY_LOG_LEVEL: 'warn',
    }
    expect(readConfig(env)).toEqual({
      host: '::1',
      port: 0,
      dataDir: '/data',
      store: { kind: 'etcd', etcd: { endpoints: ['http://10.0.0.1:2379'] } },
      advertisedUrl: 'http://10.0.0.9:7400',
      adminTokenFile: '/run/admin',
      historyLimits: { maxRecords: 50, maxAgeMs: 2 * 86_400_000 },
      logLevel: 'warn',
    })
  })

  it('lists everything that is wrong at once', () => {
    const env = { TRIBUTARY_HOST: '', TRIBUTARY_PORT: '70000', TRIBUTARY_LOG_LEVEL: 'loud' }
    expect(problemsOf(env)).toEqual([
      expect.stringContaining('TRIBUTARY_PORT is "70000"'),
      expect.stringContaining('TRIBUTARY_LOG_LEVEL is "loud"'),
      expect.stringContaining('TRIBUTARY_HOST is empty'),
    ])
  })

  it('asks for an address that other replicas can call', () => {
    const etcd = { TRIBUTARY_STORE: 'etcd', TRIBUTARY_ETCD_ENDPOINTS: 'http://10.0.0.1:2379' }
    expect(problemsOf({ ...etcd, TRIBUTARY_HOST: '0.0.0.0' })).toEqual([
      expect.stringContaining('TRIBUTARY_ADVERTISED_URL is missing'),
    ])
    expect(problemsOf({ ...etcd, TRIBUTARY_ADVERTISED_URL: 'http://user@host/path' })).toHaveLength(1)
    expect(problemsOf({ TRIBUTARY_HOST: '0.0.0.0' })).toEqual([])
  })

  it('refuses history limits that would keep nothing', () => {
    expect(problemsOf({ TRIBUTARY_HISTORY_MAX_RECORDS: '0', TRIBUTARY_HISTORY_MAX_DAYS: 'all' })).toHaveLength(2)
  })

  it.each(['', '-1', '1e3', '0x10', ' 80', '65536'])('refuses the port %j', (port) => {
    expect(problemsOf({ TRIBUTARY_PORT: port })).toHaveLength(1)
  })
})
