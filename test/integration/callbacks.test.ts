import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import { startConfigCenter, type ConfigCenter } from '@tributary/config-center'
import { createContextKey } from '@tributary/contract/context-token'
import { connect, createCallbackHandler, currentContext, runWithTenant, type Tributary } from '@tributary/sdk'
import { freePort } from '@tributary/testkit'
import { openEmbeddedStore, type RevisionedStore } from '@tributary/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.js'

const BASE = 'integration'
const FEATURE = 'feature-x'

/** A copy of a service: an SDK client and a server that answers who it is, in which context, and what it was asked. */
class ServiceCopy {
  client!: Tributary
  #server: Server | undefined

  constructor(
    readonly tenant: string,
    readonly service: string,
  ) {}

  async start(): Promise<void> {
    const token = (await admin.createToken({ name: this.tenant, role: 'tenant', tenant: this.tenant })).token
    const publicUrl = `http://127.0.0.1:${edgePort}/`
    const { tenant, service } = this
    this.client = await connect({
      url: center.url,
      tenant,
      service,
      token,
      contextKey,
      publicUrl,
      require: 'ready',
      env: {},
    })
    const callbacks = createCallbackHandler(this.client)
    const server = createServer((request, response) =>
      callbacks(request, response, () => {
        let body = ''
        request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        request.once('end', () => {
          const { tenant: context } = currentContext()
          response.end(JSON.stringify({ by: tenant, context, url: request.url, method: request.method, body }))
        })
      }),
    )
    this.#server = server
    const port = tenant === BASE && service === 'orders' ? edgePort : 0
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    await admin.applyEntry(
      { tenant, service },
      { endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: this.port }] },
    )
  }

  get port(): number {
    const address = this.#server?.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await this.client.close()
  }
}

let folder: string
let store: RevisionedStore
let center: ConfigCenter
let admin: ConfigCenterClient
let contextKey: string
/** The baseline's orders stand at the public address: there is no gateway here. */
let edgePort: number
let copies: ServiceCopy[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-callbacks-'))
  store = await openEmbeddedStore({ path: join(folder, 'store.db') })
  center = await startConfigCenter({ store, host: '127.0.0.1', port: 0, adminTokenFile: join(folder, 'admin.token') })
  admin = createConfigCenterClient({ baseUrl: center.url, token: center.adminToken ?? '' })
  await admin.applyTenant(BASE, { base: null })
  await admin.applyTenant(FEATURE, { base: BASE })
  contextKey = createContextKey()
  edgePort = await freePort()
  copies = []
})

afterEach(async () => {
  for (const copy of copies) await copy.stop()
  await center.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(tenant: string, service: string): Promise<ServiceCopy> {
  const copy = new ServiceCopy(tenant, service)
  copies.push(copy)
  await copy.start()
  return copy
}

/** As a third party calls back: without any header of ours. */
async function call(
  url: string,
  body = 'paid',
): Promise<{ readonly status: number; readonly answer: Record<string, unknown> }> {
  const response = await fetch(url, { method: 'POST', body })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}

async function untilOwnedBy(copy: ServiceCopy, owner: string): Promise<void> {
  await waitFor(
    `orders of ${FEATURE} are ${owner}'s`,
    async () => copy.client.resolve('orders', { tenant: FEATURE }).owner === owner,
  )
}

describe('a callback of a third party', () => {
  it('reaches the environment that asked for it, after every process has restarted', async () => {
    const orders = await start(BASE, 'orders')
    const own = await start(FEATURE, 'orders')
    const payments = await start(BASE, 'payments')
    await untilOwnedBy(payments, FEATURE)
    // The shared payments works for feature-x, as in the middle of a request.
    const url = runWithTenant(FEATURE, () => payments.client.callbackUrl('orders', '/paid?order=7'))
    for (const copy of [orders, own, payments]) await copy.stop()
    copies = []
    const edge = await start(BASE, 'orders')
    await start(FEATURE, 'orders')
    await untilOwnedBy(edge, FEATURE)

    const { status, answer } = await call(`${url}&status=ok`)
    expect(status).toBe(200)
    expect(answer).toEqual({
      by: FEATURE,
      context: FEATURE,
      url: '/paid?order=7&status=ok',
      method: 'POST',
      body: 'paid',
    })
  })

  it('gets 410 and not the baseline when the environment is gone', async () => {
    const edge = await start(BASE, 'orders')
    const own = await start(FEATURE, 'orders')
    await untilOwnedBy(edge, FEATURE)
    const url = own.client.callbackUrl('orders', '/paid')
    expect((await call(url)).answer).toMatchObject({ by: FEATURE })
    await admin.deleteEntry({ tenant: FEATURE, service: 'orders' })
    await untilOwnedBy(edge, BASE)
    expect(await call(url)).toMatchObject({ status: 410, answer: { error: { code: 'CALLBACK_ENVIRONMENT_GONE' } } })
    await own.stop()
    await admin.deleteTenant(FEATURE)
    await waitFor('the tenant is gone', async () => edge.client.messages.hasTenant(FEATURE) === false)
    const { status, answer } = await call(url)
    expect([status, JSON.stringify(answer)]).toEqual([
      410,
      expect.stringContaining('the environment feature-x is gone'),
    ])
  })

  it('gets 403 when its URL was changed, and its URL works for other processes during an outage of the config center', async () => {
    const edge = await start(BASE, 'orders')
    await start(FEATURE, 'orders')
    await untilOwnedBy(edge, FEATURE)
    const url = runWithTenant(FEATURE, () => edge.client.callbackUrl('orders', '/paid'))
    expect((await call(url.replace('/paid', '/refund'))).status).toBe(403)
    await center.close()
    expect(await call(url)).toMatchObject({ status: 200, answer: { by: FEATURE } })
  })

  it('gets 503 when the copy that is to answer cannot be reached', async () => {
    const edge = await start(BASE, 'orders')
    const own = await start(FEATURE, 'orders')
    await untilOwnedBy(edge, FEATURE)
    const url = own.client.callbackUrl('orders', '/paid')
    await own.stop()
    expect((await call(url)).status).toBe(503)
  })
})
