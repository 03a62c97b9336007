import { describe, expect, it } from 'vitest'
import { Life } from './mortal.test-support.js'
import { definition, eventually, TestBench } from './test-bench.test-support.js'

/** Crashes are tried at every change of the world until a life gets through without one. */
const PARALLEL = 6

interface Outcome {
  readonly survived: boolean
  readonly lastWords: string
}

const MORE = 'secrets: [{ name: session-key, generate: { bytes: 16 } }]\nconfig: { defaults: { size: 1 } }\n'

/** Whether the branch is still there when the next process starts. */
type Branch = 'gone' | 'there'

/** Creates integration and a feature environment, deletes the branch, and is killed once on the way; then a new process goes on. */
async function live(lastMutation: number, branch: Branch): Promise<Outcome> {
  const bench = await TestBench.open()
  try {
    bench.git.commit('shop', 'main', { 'orders/service.yaml': definition('orders', MORE), 'orders/a': '1' })
    bench.git.commit('shop', 'feature/x', { 'orders/a': '2' }, 'main')
    const life = new Life(lastMutation)
    await firstProcess(bench, life)
    if (branch === 'gone') bench.git.delete('shop', 'feature/x')
    await bench.start()
    await bench.settle()
    if (life.dead && bench.git.branches.get('shop')?.has('feature/x') === true) await expectReady(bench)
    await expectCleanWorld(bench, `killed ${life.lastWords} (${lastMutation})`)
    return { survived: !life.dead, lastWords: life.lastWords }
  } finally {
    await bench.close()
  }
}

async function firstProcess(bench: TestBench, life: Life): Promise<void> {
  try {
    await bench.start(life.wrap(bench.dependencies()))
    await bench.settle()
    await eventually(
      async () => life.dead || (await bench.phase('feature-x')) === 'ready',
      (done) => done,
    )
    if (!life.dead) bench.git.delete('shop', 'feature/x')
    if (!life.dead) await bench.settle()
    await eventually(
      async () => life.dead || (await bench.record('feature-x')) === undefined,
      (done) => done,
    )
  } catch (error) {
    if (!life.dead) throw error
  }
  await bench.manager.stop()
}

async function expectReady(bench: TestBench): Promise<void> {
  await eventually(
    () => bench.phase('feature-x'),
    (phase) => phase === 'ready',
  )
  await eventually(
    async () => (await bench.runs('feature-x'))[0]?.state,
    (state) => state === 'succeeded',
  )
  expect(bench.world.copiesOf('feature-x')).toHaveLength(1)
  expect([...bench.routes.served]).toContain('feature-x')
  expect(await bench.ledger('feature-x')).toContain('route feature-x')
  expect((await bench.environment('feature-x'))?.url).toContain('feature-x')
  expect(bench.center.seenBy('feature-x')['orders']).toContain('feature-x@')
  bench.git.delete('shop', 'feature/x')
  await bench.settle()
}

/** Integration serves; of the feature environment nothing is left but its receipt, if it ever got as far as to have a name. */
async function expectCleanWorld(bench: TestBench, hint: string): Promise<void> {
  await eventually(
    () => bench.phase('integration'),
    (phase) => phase === 'ready',
  )
  await eventually(
    () => bench.record('feature-x'),
    (record) => record === undefined,
  )
  const { entries: secrets } = await bench.store.range({ select: { prefix: 'em/secret/feature-x' } })
  const runs = await bench.runs('feature-x')
  const left = {
    ledger: await bench.ledger('feature-x'),
    copies: bench.world.copiesOf('feature-x'),
    spaces: [...bench.world.spaces],
    tenants: [...bench.center.tenants.keys()],
    tokens: [...bench.center.tokens.values()].map(({ name }) => name),
    routes: [...bench.routes.served],
    integrationCopies: bench.world.copiesOf('integration').length,
    secrets,
    unfinishedRuns: runs.filter(({ state }) => state === 'running'),
  }
  expect({ hint, ...left }).toEqual({
    hint,
    ledger: [],
    copies: [],
    spaces: ['integration'],
    tenants: ['integration'],
    tokens: ['env-integration-g1'],
    routes: ['integration'],
    integrationCopies: 1,
    secrets: [],
    unfinishedRuns: [],
  })
}

describe('a manager that is killed', () => {
  it.each<Branch>(['gone', 'there'])(
    'converges and leaks nothing, whichever of its changes was the last, when the branch is %s afterwards',
    async (branch) => {
      let survived = false
      let tried = 0
      for (let from = 1; !survived; from += PARALLEL) {
        const outcomes = await Promise.all(Array.from({ length: PARALLEL }, (_, offset) => live(from + offset, branch)))
        tried += outcomes.filter((outcome) => !outcome.survived).length
        survived = outcomes.some((outcome) => outcome.survived)
      }
      expect(tried).toBeGreaterThan(60)
    },
    120_000,
  )
})
