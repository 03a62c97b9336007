import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describeWithCluster, testImage } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { isGone } from '../support/platform.js'
import { waitFor } from '../support/wait-for.js'
import { ClusterPlatform } from './support/cluster-platform.js'
import { TINY_PROGRAM, tinyDefinition } from './support/tiny-service.js'

const BRANCH = 'feature/mortal'
const FEATURE = 'feature-mortal'
/** Of one process until it ends or there is nothing left to do. */
const LIFE_MS = 60_000
const LIVES_MS = 240_000
/** More lives than there are moments: one of them comes again and again. */
const MAX_LIVES = 80

/** Processes of the manager, one after the other; each ends at the first moment at which none has ended before. */
describeWithCluster('a manager that is killed at every line that it writes', () => {
  let folder: string
  let platform: ClusterPlatform
  let git: GitFixture

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tributary-crash-points-'))
    const files = { 'server.cjs': TINY_PROGRAM }
    const image = await testImage({ name: 'tributary-crash-points', files, command: ['/app/server.cjs'] })
    git = await GitFixture.create(folder, 'tiny', { 'service.yaml': tinyDefinition(image), text: 'main' })
    const instance = `kube-crash-${process.pid % 10_000}`
    platform = await ClusterPlatform.prepare({
      instance,
      repositories: { tiny: git.url },
      settings: { drainSeconds: 0 },
    })
    await platform.startManager()
    await platform.untilReady('integration')
    await platform.killManager()
  }, 180_000)

  afterAll(async () => {
    await platform.remove()
    await rm(folder, { recursive: true, force: true })
  }, 180_000)

  /** Starts one process after the other until one gets there alive. Answers the moments at which the others ended. */
  async function liveUntil(
    isThere: () => Promise<boolean>,
    passed: readonly string[] = [],
  ): Promise<readonly string[]> {
    const moments = [...passed]
    for (let life = 1; life <= MAX_LIVES; life += 1) {
      const manager = await platform.launchMortalManager({ environment: FEATURE, passed: moments })
      const ended = await waitFor(
        `life ${life} to end, or to have done everything (so far: ${moments.join(', ')})`,
        async () =>
          manager.lastLine('ended at: ') ?? ((await platform.isServing(manager)) && (await isThere()) && 'alive'),
        { timeoutMs: LIFE_MS, everyMs: 25 },
      )
      if (ended === 'alive') return moments
      await manager.end('SIGKILL')
      moments.push(ended)
    }
    throw new Error(`still not there after ${MAX_LIVES} lives: ${moments.join(', ')}`)
  }

  const isReady = async (): Promise<boolean> => {
    const { phase } = await platform.envManager.getEnvironment(FEATURE)
    const [newest] = (await platform.envManager.listRuns({ environment: FEATURE, limit: 1 })).runs
    return phase === 'ready' && newest?.state === 'succeeded'
  }
  const firstWords = (moments: readonly string[]): ReadonlySet<string> =>
    new Set(moments.map((moment) => moment.split(' ').slice(0, 2).join(' ')))

  it('makes the environment whole, and then removes it whole', { timeout: 2 * LIVES_MS }, async () => {
    onTestFailed(
      () => void process.stderr.write(`the last manager printed:\n${platform.managerOutput.slice(-4_000)}\n`),
    )
    await git.push(BRANCH, { text: BRANCH })
    const made = await liveUntil(isReady)
    // Of steps only those that take long are written down by themselves.
    expect(made).toEqual(expect.arrayContaining(['record', 'deploy deploy', 'deploy wait-healthy']))
    for (const kind of ['namespace', 'tenant', 'token', 'release', 'secret', 'service', 'entry', 'route'])
      expect(firstWords(made)).toContain(`ledger ${kind}`)
    expect(await platform.leftOver(FEATURE)).toContain(`Namespace//${platform.namespaceOf(FEATURE)}`)
    const pods = ['get', 'pods', '-n', platform.namespaceOf(FEATURE), '-o', 'name']
    // One that was replaced on the way may be ending yet.
    const isAlone = async (): Promise<boolean> => (await platform.kubectl(pods)).split('\n').length === 1
    await waitFor('one pod', isAlone, { timeoutMs: 60_000, everyMs: 250 })
    const { lines } = await platform.envManager.listLedger(FEATURE)

    await platform.killManager()
    await git.delete(BRANCH)
    const all = await liveUntil(() => isGone(platform.envManager.getEnvironment(FEATURE)), made)
    const removed = all.slice(made.length)
    const long = ['tombstone', 'teardown uninstall', 'teardown remove-space', 'receipt']
    expect(removed).toEqual(expect.arrayContaining(long))
    process.stdout.write(
      `killed at ${made.length} moments while it was made, at ${removed.length} while it was removed\n`,
    )

    const [receipt, ...more] = (await platform.envManager.listReceipts(FEATURE)).receipts
    expect(more).toEqual([])
    const proven = new Set(receipt?.resources.map(({ kind, id }) => `${kind} ${id}`))
    for (const { kind, id } of lines) expect(proven).toContain(`${kind} ${id}`)
    expect((await platform.envManager.listLedger(FEATURE)).lines).toEqual([])
    expect(await platform.leftOver(FEATURE)).toEqual([])
    expect((await platform.configCenter.listTenants()).tenants.map(({ name }) => name)).toEqual(['integration'])
    const { tokens } = await platform.configCenter.listTokens()
    expect(tokens.flatMap(({ tenant }) => tenant ?? [])).toEqual(['integration'])
  })
})
