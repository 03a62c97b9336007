import { stat, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CreatedToken, TokenInfo } from '@tributary/contract'
import { ManualClock } from '@tributary/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TOKEN_PREFIX } from '../domain/keys.js'
import { ensureAdminToken } from '../operations/ensure-admin-token.js'
import { codeOf, TestCenter } from './test-center.test-support.js'

let center: TestCenter
let clock: ManualClock

beforeEach(async () => {
  clock = new ManualClock()
  center = await TestCenter.start({ clock })
  await center.ok('PUT', '/v1/tenants/integration', {})
  await center.ok('PUT', '/v1/tenants/feature-x', {})
})

afterEach(() => center.close())

async function storedTokens(): Promise<string> {
  const { entries } = await center.store.range({ select: { prefix: TOKEN_PREFIX } })
  return JSON.stringify(entries.map(({ key, value }) => [key, value]))
}

describe('tokens', () => {
  it('are shown once and kept as a hash only', async () => {
    const created = await center.call<CreatedToken>('POST', '/v1/tokens', { body: { name: 'ci', role: 'deployer' } })
    expect(created.status).toBe(201)
    expect(created.headers['cache-control']).toBe('no-store')
    const { token, info } = created.body
    expect(info).toMatchObject({ name: 'ci', role: 'deployer', createdAt: '2026-01-01T00:00:00.000Z' })
    const secret = token.slice(`trb_${info.tokenId}_`.length)
    expect(await storedTokens()).not.toContain(secret)
    expect(JSON.stringify(await center.ok('GET', '/v1/tokens'))).not.toContain(secret)
    expect((await center.call('GET', '/v1/tokens/self', { token })).body).toEqual(info)
  })

  it('are worth nothing with another secret', async () => {
    const token = await center.token('viewer')
    const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
    expect((await center.call('GET', '/v1/tokens/self', { token: forged })).status).toBe(401)
  })

  it('end when they are revoked', async () => {
    const created = await center.ok<CreatedToken>('POST', '/v1/tokens', { name: 'ci', role: 'viewer' })
    const revoked: string[] = []
    center.center.context.tokens.onRevoked((tokenId) => revoked.push(tokenId))
    expect((await center.call('DELETE', `/v1/tokens/${created.info.tokenId}`)).status).toBe(204)
    expect(revoked).toEqual([created.info.tokenId])
    expect((await center.call('GET', '/v1/tokens/self', { token: created.token })).status).toBe(401)
    expect(codeOf(await center.call('DELETE', `/v1/tokens/${created.info.tokenId}`))).toBe('TOKEN_NOT_FOUND')
  })

  it('end when they expire, and are announced once', async () => {
    const body = { name: 'ci', role: 'viewer', expiresInSeconds: 60 }
    const { token, info } = await center.ok<CreatedToken>('POST', '/v1/tokens', body)
    const { tokens } = center.center.context
    const revoked: string[] = []
    tokens.onRevoked((tokenId) => revoked.push(tokenId))
    clock.advance(59_999)
    tokens.announceExpired(clock.now())
    expect((await center.call('GET', '/v1/tokens/self', { token })).status).toBe(200)
    clock.advance(1)
    tokens.announceExpired(clock.now())
    tokens.announceExpired(clock.now())
    await center.call('DELETE', `/v1/tokens/${info.tokenId}`)
    expect(revoked).toEqual([info.tokenId])
    expect((await center.call('GET', '/v1/tokens/self', { token })).status).toBe(401)
  })

  it('of a tenant end with the tenant, and those of another one stay', async () => {
    await center.ok('PUT', '/v1/tenants/feature-y', {})
    const gone = await center.token('tenant', 'feature-x')
    const kept = await center.token('tenant', 'feature-y')
    await center.ok('DELETE', '/v1/tenants/feature-x')
    await center.ok('PUT', '/v1/tenants/feature-x', {})
    expect((await center.call('GET', '/v1/tokens/self', { token: gone })).status).toBe(401)
    expect((await center.call('GET', '/v1/tokens/self', { token: kept })).status).toBe(200)
  })

  it.each([
    [{ name: 'a', role: 'tenant' }, 400, 'INVALID_REQUEST'],
    [{ name: 'a', role: 'viewer', tenant: 'feature-x' }, 400, 'INVALID_REQUEST'],
    [{ name: 'a', role: 'tenant', tenant: 'nobody' }, 404, 'TENANT_NOT_FOUND'],
    [{ name: 'a', role: 'root' }, 400, 'INVALID_REQUEST'],
  ])('are not made of %j', async (body, status, code) => {
    const answer = await center.call('POST', '/v1/tokens', { body })
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
  })
})

describe('a deployer', () => {
  it('makes, sees and revokes tenant tokens, and no others', async () => {
    const token = await center.token('deployer')
    const admin = await center.ok<{ tokens: TokenInfo[] }>('GET', '/v1/tokens')
    const body = { name: 'x', role: 'tenant', tenant: 'feature-x' }
    const made = await center.call<CreatedToken>('POST', '/v1/tokens', { token, body })
    expect(made.status).toBe(201)
    const seen = await center.call<{ tokens: TokenInfo[] }>('GET', '/v1/tokens', { token })
    expect(seen.body.tokens.map(({ role }) => role)).toEqual(['tenant'])
    expect((await center.call('DELETE', `/v1/tokens/${made.body.info.tokenId}`, { token })).status).toBe(204)
    const adminId = admin.tokens.find(({ role }) => role === 'admin')?.tokenId ?? ''
    expect((await center.call('DELETE', `/v1/tokens/${adminId}`, { token })).status).toBe(403)
    expect((await center.call('POST', '/v1/tokens', { token, body: { name: 'x', role: 'viewer' } })).status).toBe(403)
  })
})

describe('ensureAdminToken', () => {
  it('writes a token that works for the owner alone, and keeps it', async () => {
    const file = join(center.folder, 'admin.token')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readFile(file, 'utf8')).trim()).toBe(center.adminToken)
    expect(await ensureAdminToken(center.center.context, file)).toBe(center.adminToken)
  })

  it('makes a new one when the file’s is unknown or not an admin’s', async () => {
    const file = join(center.folder, 'other.token')
    for (const content of ['nonsense', await center.token('viewer')]) {
      await writeFile(file, content, { mode: 0o644 })
      const token = await ensureAdminToken(center.center.context, file)
      expect((await center.call('GET', '/v1/tokens/self', { token })).body).toMatchObject({ role: 'admin' })
      expect((await stat(file)).mode & 0o777).toBe(0o600)
    }
  })
})
