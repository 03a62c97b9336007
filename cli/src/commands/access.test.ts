import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN_ROLES } from '@tributary/contract'
import { EXIT_CODES } from '../errors.js'
import { ROLES } from './tokens/create.js'
import { startRealConfigCenter, type RealConfigCenter } from '../testing/real-config-center.test-support.js'

let center: RealConfigCenter

beforeAll(async () => {
  center = await startRealConfigCenter()
  const { client } = center
  await client.applyTenant('integration', { base: null })
  await client.applyTenant('feature-x', { base: 'integration' })
  const endpoints = [{ name: 'http', protocol: 'http' as const, host: '127.0.0.1', port: 4711 }]
  await client.applyEntry({ tenant: 'integration', service: 'stock' }, { endpoints, version: 'v1.0-0-abcdef12' })
})
afterAll(() => center.close())

it('the roles are those of the contract', () => {
  expect(ROLES).toEqual(TOKEN_ROLES)
})

describe('tributary tokens', () => {
  it('makes, lists and revokes tokens, and shows a secret only once', async () => {
    const { stdout: token } = await center.tributary(
      'tokens',
      'create',
      'ci',
      '--role',
      'deployer',
      '--expires-in',
      '2h',
    )
    expect(token).toMatch(/^trb_/)
    const { stdout: list } = await center.tributary('tokens', 'list')
    const row = list.split('\n').find((text) => text.includes(' ci '))
    expect(row).toMatch(/deployer .* in [12] h/)
    expect(list).not.toContain(token.trim())
    const [tokenId = ''] = (row ?? '').split(' ')
    expect((await center.tributary('tokens', 'revoke', tokenId)).status).toBe(EXIT_CODES.ok)
    expect((await center.tributary('tokens', 'list')).stdout).not.toContain(' ci ')
  })

  it('writes a token into a new file that only its owner can read', async () => {
    const { stdout } = await center.tributary('tokens', 'create', 'to-file', '--file', 'ci.token')
    const file = join(center.folder, 'ci.token')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const token = (await readFile(file, 'utf8')).trim()
    expect(token).toMatch(/^trb_/)
    expect(stdout).not.toContain(token)
  })
})

describe('tributary entries', () => {
  it('lists what a tenant sees, masks it and lets it through again', async () => {
    expect((await center.tributary('entries', 'list', 'feature-x')).stdout).toBe(
      'SERVICE  STATE      FROM         VERSION          ADDRESS\n' +
        'stock    inherited  integration  v1.0-0-abcdef12  http://127.0.0.1:4711\n',
    )
    await center.tributary('entries', 'mask', 'feature-x', 'stock')
    expect((await center.tributary('entries', 'list', 'feature-x')).stdout).toMatch(/stock +masked +feature-x/)
    expect((await center.tributary('entries', 'explain', 'feature-x', 'stock')).stdout).toMatch(/masks/)
    await center.tributary('entries', 'unmask', 'feature-x', 'stock')
    expect((await center.tributary('entries', 'list', 'feature-x')).stdout).toMatch(/stock +inherited +integration/)
  })

  it('does not unmask what is an entry of its own', async () => {
    const { status, stderr } = await center.tributary('entries', 'unmask', 'integration', 'stock')
    expect(status).toBe(EXIT_CODES.conflict)
    expect(stderr).toContain('is not masked')
    expect((await center.tributary('entries', 'list', 'integration', '--own')).stdout).toContain('stock')
  })
})
