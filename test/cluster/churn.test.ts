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
import { TINY_PROGRAM, tinyDefinition } from './support/tiny-service.js'

/** A soak: `TRIBUTARY_TEST_CYCLES=100 TRIBUTARY_TEST_ENVIRONMENTS=30 npm run test:cluster -- churn` makes and removes a hundred environments, thirty at a time. */
const ENVIRONMENTS = Number(process.env['TRIBUTARY_TEST_ENVIRONMENTS'] ?? 6)
const CYCLES = Number(process.env['TRIBUTARY_TEST_CYCLES'] ?? ENVIRONMENTS)
const CONCURRENCY = 3
/** Of each half of a round. */
const KILLS = 3
const HALF_MS = 60_000 + ENVIRONMENTS * 15_000
/** Printed when it fails, so that the same choices can be made again: SEED=… npm run test:cluster -- churn */
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const generator = xoroshiro128plus(SEED)
const below = (limit: number): number => uniformInt(generator, 0, limit - 1)

describeWithCluster('many environments on a small node', () => {
  let folder: string
  let platform: ClusterPlatform
  let git: GitFixture

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-churn-'))
    const image = await testImage({
      name: 'tributary-churn',
      files: { 'server.cjs': TINY_PROGRAM },
      command: ['/app/server.cjs'],
    })
    git = await GitFixture.create(folder, 'tiny', { 'service.yaml': tinyDefinition(image), text: 'main' })
    const settings = { concurrency: CONCURRENCY, drainSeconds: 0 }
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
  const phases = async (): Promise<ReadonlyMap<string, string>> => {
    const { environments } = await platform.envManager.listEnvironments()
    return new Map(environments.map(({ name, phase }) => [name, phase]))
  }
  const rounds = Array.from({ length: Math.ceil(CYCLES / ENVIRONMENTS) }, (_, round) => ({
    round: round + 1,
    count: Math.min(ENVIRONMENTS, CYCLES - round * ENVIRONMENTS),
  }))
  const lines: string[] = []
  afterAll(() => void process.stdout.write(`${lines.join('\n')}\n`))

  it.each(rounds)(
    `round $round makes and removes $count environments through ${2 * KILLS} kills of the manager (SEED=${SEED})`,
    { timeout: 2 * HALF_MS + 60_000 },
    async ({ round, count }) => {
      const branches = Array.from({ length: count }, (_, index) => `feature/c${round}-${index}`)
      const environments = branches.map((branch) => branch.replace('/', '-'))
      const startedAt = performance.now()
      for (const branch of branches) await git.push(branch, { text: branch })
      await waitFor('some to wait for their turn', async () => {
        const { queued, running } = await platform.envManager.getStatus()
        expect(running.length).toBeLessThanOrEqual(CONCURRENCY)
        return count <= CONCURRENCY || queued.length > 0
      })
      await killNowAndThen()
      const allReady = async (): Promise<boolean> => {
        const now = await phases()
        const waiting = environments.filter((name) => now.get(name) !== 'ready')
        if (waiting.length === 0) return true
        throw new Error(`${waiting.length} wait yet: ${waiting.map((name) => `${name} ${now.get(name)}`).join(', ')}`)
      }
      await waitFor('all to be ready', allReady, { timeoutMs: HALF_MS, everyMs: 250 })
      const madeAt = performance.now()
      const made = await platform.leftOver()

      for (const branch of branches) await git.delete(branch)
      await killNowAndThen()
      await waitFor(
        'all to be gone',
        async () => {
          const { frozen } = await platform.envManager.getStatus()
          if (frozen !== null) await platform.envManager.approveDeletions(frozen.approvalId)
          const left = await phases()
          if (left.size === 1) return true
          throw new Error(`${left.size - 1} are there yet`)
        },
        { timeoutMs: HALF_MS, everyMs: 250 },
      )
      const goneAt = performance.now()
      lines.push(
        `round ${round}: ${count} environments ready after ${seconds(startedAt, madeAt)} (${made.length} objects), gone after ${seconds(madeAt, goneAt)} more; ${2 * KILLS} kills`,
      )

      for (const name of environments) {
        expect((await platform.envManager.listLedger(name)).lines).toEqual([])
        expect((await platform.envManager.listReceipts(name)).receipts).toHaveLength(1)
      }
      const left = await platform.leftOver()
      const integration = platform.namespaceOf('integration')
      expect(left.filter((object) => !object.includes(`/${integration}`))).toEqual([])
      expect((await platform.configCenter.listTenants()).tenants.map(({ name }) => name)).toEqual(['integration'])
      const { tokens } = await platform.configCenter.listTokens()
      expect(tokens.flatMap(({ tenant }) => tenant ?? [])).toEqual(['integration'])
      expect((await platform.envManager.getStatus()).orphans).toEqual([])
    },
  )
})

function seconds(from: number, to: number): string {
  return `${((to - from) / 1_000).toFixed(1)} s`
}
