import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startConfigCenter } from './start.js'

let folder: string
let store: RevisionedStore

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-start-'))
  store = await openEmbeddedStore({ path: join(folder, 'store.db') })
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

describe('startConfigCenter', () => {
  it('listens on a free port, answers with the token that it wrote, and stops listening when it is closed', async () => {
    const center = await startConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
    const headers = { authorization: `Bearer ${center.adminToken ?? ''}` }
    const answer = await fetch(`${center.url}/v1/tokens/self`, { headers })
    expect(await answer.json()).toMatchObject({ role: 'admin' })
    await center.close()
    await expect(fetch(`${center.url}/healthz`)).rejects.toThrow('fetch failed')
  })

  it('keeps what was written and the token over a restart', async () => {
    const adminTokenFile = join(folder, 'admin.token')
    const first = await startConfigCenter({ store, adminTokenFile })
    await first.app.inject({
      method: 'PUT',
      url: '/v1/tenants/integration',
      headers: { authorization: `Bearer ${first.adminToken ?? ''}` },
      payload: {},
    })
    await first.close()
    const second = await startConfigCenter({ store, adminTokenFile })
    expect(second.adminToken).toBe(first.adminToken)
    expect(second.context.live.catalog.tenant('integration')?.stage).toBe('integration')
    await second.close()
  })

  it('says goodbye to open streams and closes in time', async () => {
    const center = await startConfigCenter({ store, adminTokenFile: join(folder, 'admin.token') })
    const headers = { authorization: `Bearer ${center.adminToken ?? ''}`, 'content-type': 'application/json' }
    await fetch(`${center.url}/v1/tenants/integration`, { method: 'PUT', headers, body: '{}' })
    const stream = await fetch(`${center.url}/v1/tenants/integration/stream`, { headers })
    const [text] = await Promise.all([stream.text(), center.close()])
    expect(text).toContain('event: hello')
    expect(text).toMatch(/event: goodbye\ndata: \{"reason":"draining"/)
  })

  it('fails with a port that is taken, and leaves nothing running', async () => {
    const center = await startConfigCenter({ store })
    const port = Number(new URL(center.url).port)
    await expect(startConfigCenter({ store, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await center.close()
  })
})
