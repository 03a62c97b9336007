import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TestCenter } from './test-center.test-support.js'
import { newToken } from '../tokens/token-text.js'
import { adoptAdminToken } from '../operations/adopt-admin-token.js'

let center: TestCenter
let file: string

beforeEach(async () => {
  center = await TestCenter.start()
  file = join(center.folder, 'given.token')
})

afterEach(() => center.close())

describe('a given admin token', () => {
  it('works from then on, and is adopted once', async () => {
    const { token } = newToken()
    await writeFile(file, `${token}\n`)
    expect(await adoptAdminToken(center.center.context, file)).toBe('adopted')
    expect((await center.call('GET', '/v1/tokens/self', { token })).body).toMatchObject({ role: 'admin' })
    expect(await adoptAdminToken(center.center.context, file)).toBe('known')
  })

  it('that was revoked does not come back', async () => {
    const { token, tokenId } = newToken()
    await writeFile(file, token)
    await adoptAdminToken(center.center.context, file)
    await center.call('DELETE', `/v1/tokens/${tokenId}`)
    expect(await adoptAdminToken(center.center.context, file)).toBe('revoked')
    expect((await center.call('GET', '/v1/tenants', { token })).status).toBe(401)
  })

  it('is adopted by one of several that start at the same time, and works for all', async () => {
    const { token } = newToken()
    await writeFile(file, token)
    const all = await Promise.all(Array.from({ length: 5 }, () => adoptAdminToken(center.center.context, file)))
    expect(all.toSorted()).toEqual(['adopted', 'known', 'known', 'known', 'known'])
  })

  it('must be one', async () => {
    await writeFile(file, 'password')
    const refused = { code: 'CONFIG_INVALID', message: expect.stringContaining('holds no token') }
    await expect(adoptAdminToken(center.center.context, file)).rejects.toMatchObject(refused)
    await expect(adoptAdminToken(center.center.context, '/none')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})
