import { createServer, type Server } from 'node:http'
import { connect, runWithTenant, withRoutingContext, type Tributary } from '@tributary/sdk'
import { createDispatcher } from '@tributary/sdk/undici'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { loopback, runConfigCenter, type RunningConfigCenter } from '../support/config-center.js'
import { waitFor } from '../support/wait-for.js'

/**
 * The fixture of KtEnv's end-to-end test (alibaba/virtual-environment, build/ci.sh): three services that call each other in a row, four
 * environments on three levels, and exact assertions on who answers. It is told here with our words, and with what that test leaves
 * out: calls back.
 */
const ENVIRONMENTS: Readonly<Record<string, { readonly base: string | null; readonly owns: readonly string[] }>> = {
  dev: { base: null, owns: ['node', 'go', 'java'] },
  'dev-proj1': { base: 'dev', owns: ['node', 'java'] },
  'dev-proj1-feature1': { base: 'dev-proj1', owns: ['java'] },
  'dev-proj2': { base: 'dev', owns: ['go'] },
}
/** Who calls whom; the last one calls the first two back. */
const NEXT: Readonly<Record<string, string>> = { node: 'go', go: 'java' }

let center: RunningConfigCenter
let entry: Tributary
const copies = new Map<
  string,
  { readonly server: Server; readonly client: Tributary; readonly end: () => Promise<void> }
>()

beforeAll(async () => {
  center = await runConfigCenter()
  for (const [tenant, { base }] of Object.entries(ENVIRONMENTS)) await center.admin.applyTenant(tenant, { base })
  for (const [tenant, { owns }] of Object.entries(ENVIRONMENTS)) {
    for (const service of owns) await deploy(tenant, service)
  }
  entry = await connect({ env: await center.environmentOf('dev', 'node'), require: 'ready' })
  const own = Object.values(ENVIRONMENTS).reduce((sum, { owns }) => sum + owns.length, 0)
  expect(copies.size).toBe(own)
})
afterAll(async () => {
  await entry?.close()
  await Promise.all([...copies.values()].map(({ end }) => end()))
  await center?.stop()
})

/** Starts a tenant's copy of a service, in this process but with a client of its own, and registers it. */
async function deploy(tenant: string, service: string): Promise<void> {
  const client = await connect({ env: await center.environmentOf(tenant, service), require: 'ready' })
  const dispatcher = createDispatcher(client)
  const ask = async (url: string) => (await dispatcher.request({ ...split(url), method: 'GET' })).body.text()
  const answer = async (path: string): Promise<string> => {
    const me = `[${service} @ ${tenant}]`
    const next = NEXT[service]
    if (path === '/who') return me
    if (next !== undefined) return `${await ask(`http://${next}/`)}, ${me}`
    const [first, second] = await Promise.all(['node', 'go'].map((one) => ask(`http://${one}/who`)))
    return `${me} called back ${first} ${second}`
  }
  const server = createServer(
    withRoutingContext(client, async (request, response) => response.end(await answer(request.url ?? '/'))),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const end = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await dispatcher.close()
    await client.close()
  }
  copies.set(`${tenant}/${service}`, { server, client, end })
  await center.admin.applyEntry({ tenant, service }, { endpoints: [loopback(port)] }, { waitMs: 5_000 })
}

function split(url: string): { readonly origin: string; readonly path: string } {
  const { origin, pathname } = new URL(url)
  return { origin, path: pathname }
}

/** Enters at `node` as a gateway does: with the tenant in the header, at the copy that the tenant sees. */
async function enter(tenant: string | undefined): Promise<string> {
  const headers: Record<string, string> = tenant === undefined ? {} : { baggage: `tributary-tenant=${tenant}` }
  const url = runWithTenant(tenant, () => entry.urlFor('node', '/'))
  return (await fetch(url, { headers })).text()
}

/** Until every copy has the routes that the answer depends on. */
async function untilEveryoneSees(tenant: string, service: string, owner: string): Promise<void> {
  await waitFor(`${service} of ${tenant} to be ${owner}'s for all`, () =>
    [entry, ...[...copies.values()].map(({ client }) => client)].every(
      (client) => client.resolve(service, { tenant }).owner === owner,
    ),
  )
}

describe('three services in four environments on three levels', () => {
  test.each([
    [undefined, '[java @ dev] called back [node @ dev] [go @ dev], [go @ dev], [node @ dev]'],
    ['dev', '[java @ dev] called back [node @ dev] [go @ dev], [go @ dev], [node @ dev]'],
    ['dev-proj1', '[java @ dev-proj1] called back [node @ dev-proj1] [go @ dev], [go @ dev], [node @ dev-proj1]'],
    [
      'dev-proj1-feature1',
      '[java @ dev-proj1-feature1] called back [node @ dev-proj1] [go @ dev], [go @ dev], [node @ dev-proj1]',
    ],
    // The hard case: java of dev serves a request of dev-proj2 and calls back go, which is dev-proj2's.
    ['dev-proj2', '[java @ dev] called back [node @ dev] [go @ dev-proj2], [go @ dev-proj2], [node @ dev]'],
    // A prefix is not an environment, and what nobody knows belongs to nobody.
    ['dev-proj', '[java @ dev] called back [node @ dev] [go @ dev], [go @ dev], [node @ dev]'],
  ])('a request of %s is answered along its chain, calls back included', async (tenant, expected) => {
    const known = tenant === undefined || ENVIRONMENTS[tenant] !== undefined
    for (const name of known ? ['node', 'go', 'java'] : []) {
      const chosen = tenant ?? 'dev'
      await untilEveryoneSees(chosen, name, entry.resolve(name, { tenant: chosen }).owner ?? '')
    }
    expect(await enter(tenant)).toBe(expected)
  })

  it('keeps all of them apart when they come at once', async () => {
    const tenants = Array.from({ length: 200 }, (_, index) => Object.keys(ENVIRONMENTS)[index % 4] ?? '')
    const alone = new Map<string, string>()
    for (const tenant of Object.keys(ENVIRONMENTS)) alone.set(tenant, await enter(tenant))
    const answers = await Promise.all(tenants.map(enter))
    expect(answers).toEqual(tenants.map((tenant) => alone.get(tenant)))
    expect(new Set(alone.values()).size).toBe(4)
  })

  it('falls back one level, and another one, when copies go', async () => {
    await center.admin.deleteEntry({ tenant: 'dev-proj1-feature1', service: 'java' }, { waitMs: 5_000 })
    await untilEveryoneSees('dev-proj1-feature1', 'java', 'dev-proj1')
    expect(await enter('dev-proj1-feature1')).toMatch(/^\[java @ dev-proj1\] called back \[node @ dev-proj1\]/)
    await center.admin.deleteEntry({ tenant: 'dev-proj1', service: 'java' }, { waitMs: 5_000 })
    await untilEveryoneSees('dev-proj1-feature1', 'java', 'dev')
    // java is dev's now, and still calls back node of dev-proj1 for a request of dev-proj1-feature1.
    expect(await enter('dev-proj1-feature1')).toBe(
      '[java @ dev] called back [node @ dev-proj1] [go @ dev], [go @ dev], [node @ dev-proj1]',
    )
  })
})
