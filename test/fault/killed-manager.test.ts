import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { keysOf, pathsOf, processesBelow } from '../support/left-over.js'
import { PlatformFixture } from '../support/platform.js'
import { tinyService } from '../support/tiny-service.js'
import { waitFor } from '../support/wait-for.js'

const BRANCHES = 50
const KILLS = 20
/** Printed when it fails, so that the same choices can be made again: SEED=… npm test -- killed-manager */
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

const generator = xoroshiro128plus(SEED)
const below = (limit: number): number => uniformInt(generator, 0, limit - 1)
const branchName = (index: number): string => `feature/b${index}`
const environmentName = (branch: string): string => branch.replace('/', '-')

let platform: PlatformFixture
let git: GitFixture

beforeAll(async () => {
  platform = await PlatformFixture.prepare()
  git = await GitFixture.create(path.join(platform.directory, 'git'), 'tiny', tinyService('main'))
  await platform.writeConfig({
    repositories: { tiny: git.url },
    settings: { pollSeconds: 1, drainSeconds: 0, concurrency: 8 },
  })
})

afterAll(async () => {
  await platform.remove()
})

it(
  `makes the world equal to the branches after ${KILLS} kills at random moments (SEED=${SEED})`,
  { timeout: 420_000 },
  async () => {
    const wanted = new Map<string, string>()
    let next = 0
    let killedAtWork = 0
    const push = async (branch: string): Promise<void> => {
      const text = `${branch} ${below(1e6)}`
      await git.push(branch, tinyService(text))
      wanted.set(branch, text)
    }

    for (let kill = 0; kill < KILLS; kill += 1) {
      await platform.launch()
      for (let step = 0; step < 4; step += 1) {
        const live = [...wanted.keys()]
        const chosen = live.length === 0 ? undefined : live[below(live.length)]
        const dice = below(16)
        if (chosen === undefined || dice >= 7) {
          if (next < BRANCHES) await push(branchName(next++))
        } else if (dice >= 4) await push(chosen)
        else {
          await git.delete(chosen)
          wanted.delete(chosen)
        }
        await delay(below(400))
      }
      // Every other one is killed at its work, however long this machine takes to load its modules; the others may not get that far.
      if (kill % 2 === 0) await platform.untilUp()
      await delay(below(2_500))
      if (await platform.isUp()) killedAtWork += 1
      await platform.kill()
    }
    expect(killedAtWork).toBeGreaterThanOrEqual(KILLS / 2)
    while (next < BRANCHES) await push(branchName(next++))

    await platform.start()
    await waitFor('the world to equal the branches', () => equalsBranches(wanted), { timeoutMs: 240_000, everyMs: 250 })
    const branches = await git.branches()
    expect([...branches.keys()].filter((branch) => branch !== 'main').toSorted(byText)).toEqual(
      [...wanted.keys()].toSorted(byText),
    )

    for (const branch of wanted.keys()) await git.delete(branch)
    await waitFor(
      'everything to be gone',
      async () => {
        // Fifty at once are more than the breaker lets through: a person is asked, and here says yes.
        const { frozen } = await platform.envManager.getStatus()
        if (frozen !== null) await platform.envManager.approveDeletions(frozen.approvalId)
        const { environments } = await platform.envManager.listEnvironments()
        return environments.length === 1
      },
      { timeoutMs: 120_000, everyMs: 250 },
    )

    const names = Array.from({ length: BRANCHES }, (_, index) => environmentName(branchName(index)))
    for (const name of names) expect((await platform.envManager.listLedger(name)).lines).toEqual([])
    expect((await platform.configCenter.listTenants()).tenants.map(({ name }) => name)).toEqual(['integration'])
    expect(
      (await platform.configCenter.listTokens()).tokens.filter(
        ({ tenant }) => tenant !== undefined && tenant !== 'integration',
      ),
    ).toEqual([])
    expect((await platform.envManager.getStatus()).orphans).toEqual([])

    expect(await platform.stop()).toBe(0)
    expect(await processesBelow(platform.data)).toEqual([])
    for (const name of names) {
      expect(await pathsOf(platform.data, name)).toEqual([])
      expect(await keysOf(platform.data, name)).toEqual([])
    }
  },
)

/** Every branch has its environment, which answers with the newest text; there is no other environment. */
async function equalsBranches(wanted: ReadonlyMap<string, string>): Promise<boolean> {
  const { frozen } = await platform.envManager.getStatus()
  if (frozen !== null) await platform.envManager.approveDeletions(frozen.approvalId)
  const { environments } = await platform.envManager.listEnvironments()
  const expected = ['integration', ...[...wanted.keys()].map(environmentName)]
  const names = environments.map(({ name }) => name)
  if (names.length !== expected.length || !expected.every((name) => names.includes(name))) {
    throw new Error(`there are ${names.length} environments instead of ${expected.length}`)
  }
  const waiting = environments.filter(({ phase }) => phase !== 'ready')
  if (waiting.length > 0)
    throw new Error(`not ready: ${waiting.map(({ name, phase }) => `${name} ${phase}`).join(', ')}`)
  for (const [branch, text] of wanted) {
    const answer = await platform.get<{ readonly tenant: string; readonly text: string }>(
      environmentName(branch),
      '/tiny/',
    )
    if (answer.text !== text || answer.tenant !== environmentName(branch)) {
      throw new Error(`${branch} answers ${JSON.stringify(answer)} instead of ${text}`)
    }
  }
  return true
}

const byText = (left: string, right: string): number => (left < right ? -1 : 1)
