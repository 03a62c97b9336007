import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describeWithCluster, testImage } from '@tributary/testkit'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { waitFor } from '../support/wait-for.js'
import { ClusterPlatform } from './support/cluster-platform.js'

/** More of each make a soak: `TRIBUTARY_TEST_CYCLES=10 TRIBUTARY_TEST_ENVIRONMENTS=10 npm run test:cluster -- churn` is a hundred environments. */
const CYCLES = Number(process.env['TRIBUTARY_TEST_CYCLES'] ?? 1)
const ENVIRONMENTS = Number(process.env['TRIBUTARY_TEST_ENVIRONMENTS'] ?? 6)
const KILLS = 3
const CYCLE_MS = 120_000 + ENVIRONMENTS * 30_000
/** Printed when it fails, so that the same choices can be made again: SEED=… npm run test:cluster -- churn */
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const generator = xoroshiro128plus(SEED)
const below = (limit: number): number => uniformInt(generator, 0, limit - 1)
const PROGRAM = `
  process.on('SIGTERM', () => process.exit(0))
  require('node:http').createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), process.env.HOST)`

describeWithCluster('many environments on a small node', () => {
  let folder: string
  let platform: ClusterPlatform
  let git: GitFixture

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-churn-'))
    const image = await testImage({
      name: 'tributary-churn',
      files: { 'server.cjs': PROGRAM },
      command: ['/app/server.cjs'],
    })
    const definition = `apiVersion: tributary/v1\nkind: Service\nname: tiny\nhealth: { readiness: / }\nrun: { image: '${image}' }\n`
    git = await GitFixture.create(folder, 'tiny', { 'service.yaml': definition, text: 'main' })
    const settings = { concurrency: 3, drainSeconds: 0 }
    const instance = `kube-churn-${process.pid % 10_000}`
    platform = await ClusterPlatform.prepare({ instance, repositories: { tiny: git.url }, settings })
    await platform.startManager()
    await platform.untilReady('integration')
  })

  afterAll(async () => {
    await platform.remove()
    await rm(folder, { recursive: true, force: true })
  })

  /** Ends the manager without a word at random moments, and starts it again. */
  const killNowAndThen = async (): Promise<void> => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(below(3_000))
      await platform.killManager()
      await platform.startManager()
    }
  }
  const names = async (): Promise<string[]> =>
    (await platform.envManager.listEnvironments()).environments.map(({ name }) => name).sort()

  it.each(Array.from({ length: CYCLES }, (_, cycle) => cycle))(
    `cycle %i makes and removes ${ENVIRONMENTS} environments through ${2 * KILLS} kills of the manager (SEED=${SEED})`,
    { timeout: CYCLE_MS },
    async (cycle) => {
      const branches = Array.from({ length: ENVIRONMENTS }, (_, index) => `feature/c${cycle}-${index}`)
      const environments = branches.map((branch) => branch.replace('/', '-'))
      for (const branch of branches) await git.push(branch, { text: branch })
      await waitFor('some to wait for their turn', async () => {
        const { queued } = await platform.envManager.getStatus()
        return queued.length > 0
      })
      await killNowAndThen()
      for (const name of environments) await platform.untilReady(name)

      for (const branch of branches) await git.delete(branch)
      await killNowAndThen()
      await waitFor(
        'all to be gone',
        async () => {
          const { frozen } = await platform.envManager.getStatus()
          if (frozen !== null) await platform.envManager.approveDeletions(frozen.approvalId)
          return (await names()).length === 1
        },
        { timeoutMs: CYCLE_MS, everyMs: 500 },
      )

      for (const name of environments) {
        expect((await platform.envManager.listLedger(name)).lines).toEqual([])
        expect((await platform.envManager.listReceipts(name)).receipts).toHaveLength(1)
        expect(await platform.leftOver(name)).toEqual([])
      }
      expect((await platform.configCenter.listTenants()).tenants.map(({ name }) => name)).toEqual(['integration'])
      const { tokens } = await platform.configCenter.listTokens()
      expect(tokens.flatMap(({ tenant }) => tenant ?? [])).toEqual(['integration'])
      expect((await platform.envManager.getStatus()).orphans).toEqual([])
    },
  )
})
