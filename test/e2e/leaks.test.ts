import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRepositories, linkSdk } from '../../examples/shop/create-repositories.mjs'
import { GitFixture } from '../support/git-fixture.js'
import { PlatformFixture } from '../support/platform.js'
import { paymentsSource, pooledPayments } from '../support/pooled-payments.js'
import { waitFor } from '../support/wait-for.js'

const CLI = path.resolve(import.meta.dirname, '../../cli/bin/tributary.mjs')
const ENVIRONMENT = 'feature-x'

interface Quote {
  readonly tenant: string
  readonly callback: { readonly tenant: string }
}

/** What a command printed, and its exit status. */
async function tributary(platform: PlatformFixture, ...args: string[]): Promise<{ status: number; stdout: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [CLI, '--data', platform.data, ...args], {
      env: { PATH: process.env['PATH'] },
    })
    return { status: 0, stdout }
  } catch (error) {
    const { code, stdout } = error as { readonly code: number; readonly stdout: string }
    return { status: code, stdout }
  }
}

describe('a call back from the shared environment', () => {
  let platform: PlatformFixture
  let payments: GitFixture

  beforeAll(async () => {
    platform = await PlatformFixture.prepare()
    const git = path.join(platform.directory, 'git')
    await mkdir(git)
    const urls = await createRepositories({ directory: git, contextFile: path.join(platform.data, 'context.json') })
    await linkSdk(platform.directory)
    const shop = await GitFixture.open(urls.shop, path.join(git, 'shop-clone'))
    payments = await GitFixture.open(urls.payments, path.join(git, 'payments-clone'))
    await platform.writeConfig({ repositories: { ...urls }, settings: { pollSeconds: 1, drainSeconds: 1 } })
    await platform.start()
    await platform.untilReady('integration')
    await shop.push('feature/x', { 'orders/buttons.mjs': `export const BUTTONS = ['pay', 'x']\n` })
    await platform.untilReady(ENVIRONMENT)
  })

  afterAll(async () => {
    await platform.remove()
  })

  const quote = () => platform.get<Quote>(ENVIRONMENT, '/payments/quote?amount=10')
  const observed = async () => {
    const { edges } = await platform.envManager.getTopology(ENVIRONMENT)
    return edges.find(({ from, to }) => from === 'payments' && to === 'orders')?.observed
  }
  const condition = async () =>
    (await platform.envManager.getEnvironment(ENVIRONMENT)).conditions.find(({ type }) => type === 'ContextPropagated')

  it('is seen in the topology, and every declared call carries the environment', async () => {
    expect(await quote()).toMatchObject({ tenant: 'integration', callback: { tenant: ENVIRONMENT } })
    const seen = await waitFor('the call to be reported', async () => (await observed()) ?? undefined)
    expect(seen).toMatchObject({ calls: 1, errors: 0, leaks: 0 })
    const probe = await tributary(platform, 'probe', ENVIRONMENT)
    expect(probe.stdout).toContain('every call carries feature-x')
    expect(probe.stdout).toMatch(/payments -> orders +carried +feature-x\/orders answered for feature-x/)
    expect(probe.status).toBe(0)
  })

  it('is explained with its caller', async () => {
    const { stdout } = await tributary(platform, 'explain', ENVIRONMENT, '--call', 'orders', '--from', 'payments')
    expect(stdout).toContain('feature-x has its own orders')
    expect(stdout).toMatch(/integration\/payments makes the call; .* integration\/orders would answer/)
  })

  it('leaks when one propagation is taken out, and topology, condition and probe name the edge', async () => {
    const commit = await payments.push('main', { 'server.mjs': await pooledPayments() })
    await platform.untilReady('integration', { payments: commit })
    await waitFor('the wrong copy to answer', async () => (await quote()).callback.tenant === 'integration')

    const seen = await waitFor('the leak in the topology', async () => {
      const now = await observed()
      return now !== null && now !== undefined && now.leaks > 0 && now
    })
    expect(seen.leaks).toBeGreaterThan(0)
    const { leaks } = await platform.envManager.getTopology(ENVIRONMENT)
    expect(leaks[0]).toMatchObject({ from: 'payments', to: 'orders', seenIn: { tenant: 'integration' } })

    const found = await waitFor('the condition', async () => {
      const now = await condition()
      return now?.status === 'False' && now
    })
    expect(found.message).toContain('payments -> orders')

    const probe = await tributary(platform, 'probe', ENVIRONMENT)
    expect(probe.status).toBe(1)
    expect(probe.stdout).toMatch(/feature-x is lost at payments -> orders/)
  })

  it('is seen when the middleware is missing, and found by the probe alone', async () => {
    const source = await paymentsSource()
    const bare = source.replace(
      'withRoutingContext(tributary, async (request, response) => {',
      '(async (request, response) => {',
    )
    expect(bare).not.toBe(source)
    const commit = await payments.push('main', { 'server.mjs': bare })
    await platform.untilReady('integration', { payments: commit })
    const leaksBefore = (await observed())?.leaks ?? 0
    await waitFor('the copy without middleware to lose the environment', async () => {
      return (await quote()).callback.tenant === 'integration' && ((await observed())?.leaks ?? 0) > leaksBefore
    })
    const probe = await waitFor('the probe to fail for another reason', async () => {
      const now = await tributary(platform, 'probe', ENVIRONMENT, '--leaks', '0')
      return now.stdout.includes('unanswered') && now
    })
    expect(probe.status).toBe(1)
    expect(probe.stdout).toMatch(/orders -> payments +unanswered/)
  })
})
