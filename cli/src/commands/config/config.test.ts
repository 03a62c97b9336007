import { connect } from '@tributary/sdk'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EXIT_CODES } from '../../errors.js'
import { startRealConfigCenter, type RealConfigCenter } from '../../testing/real-config-center.test-support.js'

let center: RealConfigCenter

beforeAll(async () => {
  center = await startRealConfigCenter()
})
afterAll(() => center.close())
beforeEach(async () => {
  const { client } = center
  await client.applyTenant('integration', { base: null })
  await client.applyTenant('feature-x', { base: 'integration' })
  await client.applyDocument({ tenant: 'integration', service: 'orders' }, { pageSize: 20, limits: { perUser: 5 } })
  await client.applyDocument({ tenant: 'integration', service: '*' }, { currency: 'EUR' })
  await client.applyDocument({ tenant: 'feature-x', service: 'orders' }, { pageSize: 30 })
})

const columns = (text: string, ...wanted: number[]): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const cells = line.split(/ {2,}/)
      return wanted.map((index) => cells[index]).join(' | ')
    })

describe('tributary config', () => {
  it('gets the effective document as YAML or JSON, and the own one', async () => {
    expect((await center.tributary('config', 'get', 'feature-x', 'orders')).stdout).toBe(
      'currency: EUR\nlimits:\n  perUser: 5\npageSize: 30\n',
    )
    const json = await center.tributary('config', 'get', 'feature-x', 'orders', '--json')
    expect(JSON.parse(json.stdout)).toEqual({ currency: 'EUR', pageSize: 30, limits: { perUser: 5 } })
    expect((await center.tributary('config', 'get', 'feature-x', 'orders', '--own')).stdout).toBe('pageSize: 30\n')
  })

  it('tells for each value where it comes from', async () => {
    const { stdout } = await center.tributary('config', 'get', 'feature-x', 'orders', '--explain')
    expect(columns(stdout, 0, 1, 2)).toEqual([
      'KEY | VALUE | FROM',
      'currency | "EUR" | integration/*',
      'limits.perUser | 5 | integration/orders',
      'pageSize | 30 | feature-x/orders',
    ])
  })

  it('sets and unsets values of the own document', async () => {
    const set = await center.tributary('config', 'set', 'feature-x', 'orders', 'pageSize=50', 'limits.perUser=9')
    expect(set.stderr).toBe('')
    expect(set.stdout).toMatch(/^feature-x\/orders changed at revision \d+\n$/)
    expect((await center.client.getDocument({ tenant: 'feature-x', service: 'orders' })).data).toEqual({
      pageSize: 50,
      limits: { perUser: 9 },
    })
    expect((await center.tributary('config', 'set', 'feature-x', 'orders', 'pageSize=50')).stdout).toContain(
      'is so already',
    )
    await center.tributary('config', 'unset', 'feature-x', 'orders', 'pageSize')
    const view = await center.client.getView('feature-x', { service: 'orders' })
    expect(view.config.orders).toMatchObject({ pageSize: 20 })
  })

  it('hides an inherited value', async () => {
    const { status } = await center.tributary('config', 'unset', 'feature-x', 'orders', 'limits.perUser', '--hide')
    expect(status).toBe(EXIT_CODES.ok)
    const view = await center.client.getView('feature-x', { service: 'orders' })
    expect(view.config.orders).toEqual({ currency: 'EUR', pageSize: 30, limits: {} })
  })

  it('applies a patch file, and a whole document', async () => {
    const file = join(center.folder, 'patch.yaml')
    await writeFile(file, 'pageSize: null\ntags: [a]\n')
    await center.tributary('config', 'patch', 'feature-x', 'orders', file)
    const ref = { tenant: 'feature-x', service: 'orders' }
    expect((await center.client.getDocument(ref)).data).toEqual({ tags: ['a'] })
    await writeFile(file, 'only: this\n')
    await center.tributary('config', 'patch', 'feature-x', 'orders', file, '--replace')
    expect((await center.client.getDocument(ref)).data).toEqual({ only: 'this' })
  })

  it.each([
    ['- 1\n', /does not hold an object/],
    ['a: [\n', /cannot use/],
  ])('refuses a file that is no document: %j', async (text, message) => {
    const file = join(center.folder, 'bad.yaml')
    await writeFile(file, text)
    const { status, stderr } = await center.tributary('config', 'patch', 'feature-x', 'orders', file)
    expect(status).toBe(EXIT_CODES.usage)
    expect(stderr).toMatch(message)
  })

  it('refuses a write against a revision that has passed', async () => {
    const args = ['config', 'set', 'feature-x', 'orders', 'pageSize=1', '--expected-revision', '1']
    const { status, stderr } = await center.tributary(...args)
    expect(status).toBe(EXIT_CODES.conflict)
    expect(stderr).toMatch(/^error: /)
  })

  it('explains a value with the whole stack', async () => {
    const { stdout } = await center.tributary('config', 'explain', 'feature-x', 'orders', 'pageSize')
    expect(columns(stdout.slice(stdout.indexOf('TENANT')), 0, 1, 2)).toEqual([
      'TENANT | SOURCE | VALUE',
      'feature-x | orders | 30',
      'integration | orders | 20',
    ])
  })

  it('shows history, compares two revisions, and rolls back', async () => {
    const ref = { tenant: 'feature-x', service: 'orders' }
    const { revision } = await center.client.getDocument(ref)
    await center.tributary('config', 'set', 'feature-x', 'orders', 'pageSize=77', '--reason', 'a try')
    const history = await center.tributary('config', 'history', 'feature-x', 'orders', '--limit', '1')
    expect(history.stdout).toContain('changed document orders')
    expect(history.stdout).toContain('a try')
    const diff = await center.tributary('config', 'diff', 'feature-x', '--from', revision)
    expect(diff.stdout).toContain('77')
    expect((await center.tributary('config', 'rollback', 'feature-x', 'orders', '--to', revision)).status).toBe(0)
    expect((await center.client.getDocument(ref)).data).toEqual({ pageSize: 30 })
  })

  it('compares two tenants, and wants to know with what', async () => {
    const { stdout } = await center.tributary('config', 'diff', 'feature-x', '--against', 'integration')
    expect(stdout).toMatch(/pageSize/)
    expect((await center.tributary('config', 'diff', 'feature-x')).status).toBe(EXIT_CODES.usage)
  })
})

describe('tributary config set --wait', () => {
  it('returns when every live subscriber has the value, and says how many', async () => {
    const client = await connect({
      url: center.url,
      token: center.token,
      tenant: 'feature-x',
      service: 'orders',
      env: {},
    })
    try {
      const { stdout, status } = await center.tributary(
        'config',
        'set',
        'feature-x',
        'orders',
        'pageSize=60',
        '--wait',
        '5s',
      )
      expect(client.config.get('pageSize')).toBe(60)
      expect(status).toBe(EXIT_CODES.ok)
      expect(stdout).toMatch(/1 of 1 subscriber has it after \d+ ms/)
    } finally {
      await client.close()
    }
  })

  it('lists who could not take the value, and exits with its own status', async () => {
    const client = await connect({
      url: center.url,
      token: center.token,
      tenant: 'feature-x',
      service: 'orders',
      env: {},
    })
    client.config.onChange('pageSize', () => {
      throw new Error('too large for me')
    })
    try {
      const args = ['config', 'set', 'feature-x', 'orders', 'pageSize=9999', '--wait', '2s']
      const { stdout, stderr, status } = await center.tributary(...args)
      expect(status).toBe(EXIT_CODES.timedOut)
      expect(stdout).toContain('too large for me')
      expect(stderr).toContain('1 of 1 subscribers have not applied it')
    } finally {
      await client.close()
    }
  })
})

describe('tributary config --dry-run', () => {
  it('shows what would change in which tenant and what lies over it, and writes nothing', async () => {
    await center.client.applyTenant('feature-w', { base: 'integration' })
    const args = ['config', 'set', 'integration', 'orders', 'pageSize=25', '--dry-run']
    const { status, stdout } = await center.tributary(...args)
    expect(status).toBe(EXIT_CODES.ok)
    expect(stdout).toContain('would change what 2 tenants see (0 live subscribers)')
    expect(columns(stdout.split('\n\n')[1] ?? '', 0, 1, 2, 3)).toEqual([
      'TENANT | WHAT | BEFORE | AFTER',
      'integration | orders /pageSize | 20 | 25',
      'feature-w | orders /pageSize | 20 | 25',
    ])
    expect(columns(stdout.split('\n\n')[2] ?? '', 0, 1, 2).at(-1)).toBe(
      'feature-x | orders /pageSize | feature-x/orders',
    )
    expect((await center.client.getDocument({ tenant: 'integration', service: 'orders' })).data).toMatchObject({
      pageSize: 20,
    })
    await center.client.deleteTenant('feature-w')
  })

  it('tries patch, unset and rollback too', async () => {
    const patch = join(center.folder, 'patch.yaml')
    await writeFile(patch, 'pageSize: 31\n')
    for (const args of [
      ['config', 'patch', 'feature-x', 'orders', patch],
      ['config', 'patch', 'feature-x', 'orders', patch, '--replace'],
      ['config', 'unset', 'feature-x', 'orders', 'pageSize'],
      ['config', 'unset', 'feature-x', 'orders', 'pageSize', '--hide'],
    ]) {
      const { stdout } = await center.tributary(...args, '--dry-run')
      expect(stdout).toContain('would change what 1 tenant sees')
    }
    const { storeRevision } = await center.client.patchDocument(
      { tenant: 'feature-x', service: 'orders' },
      { pageSize: 99 },
    )
    const to = String(BigInt(storeRevision) - 1n)
    const { stdout } = await center.tributary('config', 'rollback', 'feature-x', '--to', to, '--dry-run', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ totals: { tenants: 1 } })
  })

  it('fails when the write would be refused for its schema, and warns when it is made all the same', async () => {
    const spec = { endpoints: [{ name: 'http', protocol: 'http' as const, host: 'h', port: 80 }] }
    await center.client.applyEntry({ tenant: 'feature-x', service: 'orders' }, spec)
    const schema = { properties: { pageSize: { type: 'integer' } } }
    await center.client.applySchema({ tenant: 'feature-x', service: 'orders' }, schema)
    const args = ['config', 'set', 'feature-x', 'orders', 'pageSize=many']
    const tried = await center.tributary(...args, '--dry-run')
    expect([tried.status, tried.stdout.includes('must be integer (is string)')]).toEqual([EXIT_CODES.conflict, true])
    expect((await center.tributary(...args)).stderr).toContain('must be integer')
    const made = await center.tributary(...args, '--schema', 'warn')
    expect([made.status, made.stdout.includes('breaks its schema')]).toEqual([EXIT_CODES.ok, true])
    await center.client.deleteEntry({ tenant: 'feature-x', service: 'orders' }, { schema: 'warn' })
  })
})

describe('tributary config export and import', () => {
  it('carries documents through a file, tried before and done after', async () => {
    await center.client.applyTenant('feature-z', { base: 'integration' })
    await center.client.applyDocument({ tenant: 'feature-z', service: 'stock' }, { a: 1 })
    const { stdout } = await center.tributary('config', 'export', 'integration', 'integration.yaml')
    expect(stdout).toContain('integration: 2 documents written to')
    const args = ['config', 'import', 'feature-z', 'integration.yaml', '--prune']
    const tried = await center.tributary(...args, '--dry-run')
    expect(tried.stdout).toContain('stock /a')
    expect(Object.keys((await center.client.exportConfig('feature-z')).documents)).toEqual(['stock'])
    expect((await center.tributary(...args)).stdout).toContain('feature-z changed at revision')
    const [from, to] = [await center.client.exportConfig('integration'), await center.client.exportConfig('feature-z')]
    expect(to.documents).toEqual(from.documents)
    expect((await center.tributary('config', 'export', 'feature-z')).stdout).toContain('kind: TenantConfig')
    await center.client.deleteTenant('feature-z')
  })

  it('says what is wrong with a file that is no export', async () => {
    await writeFile(join(center.folder, 'other.yaml'), 'kind: Other\n')
    const { status, stderr } = await center.tributary('config', 'import', 'feature-x', 'other.yaml')
    expect([status, stderr.includes('write it as `tributary config export` does')]).toEqual([EXIT_CODES.usage, true])
  })
})

describe('tributary config audit', () => {
  it('tells who wrote what in all tenants, and tokens that were made', async () => {
    await center.client.createToken({ name: 'ci', role: 'viewer' })
    await center.tributary('config', 'set', 'feature-x', 'orders', 'pageSize=77', '--reason', 'larger pages')
    const { stdout } = await center.tributary('config', 'audit', '--limit', '2')
    expect(columns(stdout, 2, 3, 4, 5).slice(1, 2)).toEqual([
      'bootstrap (admin) | feature-x | changed document orders | larger pages',
    ])
    expect(stdout).toMatch(/created token [0-9a-f]+ ci \(viewer\)/)
    expect(stdout).toMatch(/older ones: --before \d+/)
    const none = await center.tributary('config', 'audit', '--actor', 'nobody-of-this-name')
    expect(none.stdout).toBe('Nothing was written.\n')
    expect((await center.tributary('config', 'audit', '--limit', '201')).status).toBe(EXIT_CODES.usage)
  })
})
