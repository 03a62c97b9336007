import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@tributary/kit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { patchEnvironment, requestRetry } from '../operations/change-environment.js'
import { removeOrphans } from '../operations/orphan-scan.js'
import { requestTeardown } from '../operations/request-teardown.js'
import { rollBackService } from '../operations/rollback-service.js'
import { approveRemovals, findBreaker } from '../operations/state/breaker.js'
import { listEnvironments } from '../operations/state/environments.js'
import { listSuspensions } from '../operations/state/suspensions.js'
import { definition, eventually, TestBench } from './test-bench.test-support.js'

let bench: TestBench

beforeEach(async () => {
  bench = await TestBench.open()
  bench.git.commit('shop', 'main', {
    'orders/service.yaml': definition('orders', 'dependsOn: [payments]\n'),
    'orders/server.js': '1',
    'payments/service.yaml': definition('payments'),
    'payments/server.js': '1',
    'README.md': 'shop',
  })
})

afterEach(async () => {
  await bench.close()
})

const ready = (name: string): Promise<unknown> =>
  eventually(
    () => bench.phase(name),
    (phase) => phase === 'ready',
  )
const gone = (name: string): Promise<unknown> =>
  eventually(
    () => bench.record(name),
    (record) => record === undefined,
  )
const short = (commit: string): string => commit.slice(0, 7)

/** Holds the deploy of a service until it is let go. */
function holdDeploy(
  service: string,
  environment: string,
): { readonly reached: Promise<void>; readonly letGo: () => void } {
  let letGo = (): void => undefined
  let reach = (): void => undefined
  const reached = new Promise<void>((resolve) => (reach = resolve))
  bench.world.onDeploy = async (spec, { signal }) => {
    if (spec.service !== service || spec.environment !== environment) return
    reach()
    await new Promise<void>((resolve, reject) => {
      letGo = resolve
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
  return { reached, letGo: () => letGo() }
}

describe('environments of branches', () => {
  it('builds integration with all services, and a branch with only what it changes', async () => {
    const main = bench.git.headOf('shop', 'main').slice(0, 7)
    const head = bench.git.commit('shop', 'feature/addButton', { 'orders/server.js': '2' }, 'main').slice(0, 7)
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-addbutton'),
      (phase) => phase === 'ready',
    )
    expect(await bench.phase('integration')).toBe('ready')
    expect(bench.center.seenBy('integration')).toEqual({
      orders: `integration@${main}`,
      payments: `integration@${main}`,
    })
    expect(bench.center.seenBy('feature-addbutton')).toEqual({
      orders: `feature-addbutton@${head}`,
      payments: `integration@${main}`,
    })
    expect(bench.world.copiesOf('feature-addbutton')).toEqual([`orders@${head}`])
    expect([...bench.routes.served].sort()).toEqual(['feature-addbutton', 'integration'])
  })

  it('removes everything of a deleted branch and writes the receipt', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    const ledger = await bench.ledger('feature-x')
    expect(ledger.length).toBeGreaterThan(4)
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const [receipt] = await eventually(
      () => bench.receipts('feature-x'),
      (receipts) => receipts.length === 1,
    )
    expect(receipt?.reason).toBe('branch_deleted')
    expect(receipt?.resources.map(({ kind, id }) => `${kind} ${id}`).sort()).toEqual([...ledger].sort())
    expect(await bench.ledger('feature-x')).toEqual([])
    expect(await bench.record('feature-x')).toBeUndefined()
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    expect([...bench.world.spaces]).toEqual(['integration'])
    expect([...bench.center.tenants.keys()]).toEqual(['integration'])
    expect([...bench.center.tokens.values()].map(({ tenant }) => tenant)).toEqual(['integration'])
    expect([...bench.routes.served]).toEqual(['integration'])
  })
})

describe('pushes and deletions in any order', () => {
  it('lets a push during a run take over: only the newest commit is registered', async () => {
    const first = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    const { reached } = holdDeploy('orders', 'feature-x')
    await bench.start()
    bench.manager.requestLook()
    await reached
    bench.world.onDeploy = async () => undefined
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await ready('feature-x')
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(second)}`)
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(second)}`])
    const states = (await bench.runs('feature-x')).map(({ state, commits }) => `${state} ${commits[0]?.commitSha}`)
    expect(states).toEqual([`succeeded ${second}`, `superseded ${first}`])
  })

  it('tears down when the branch is deleted during a run', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    const { reached } = holdDeploy('orders', 'feature-x')
    await bench.start()
    bench.manager.requestLook()
    await reached
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await gone('feature-x')
    expect(bench.world.copiesOf('feature-x')).toEqual([])
    expect(await bench.receipts('feature-x')).toHaveLength(1)
  })

  it('makes a new generation under the same name when the branch is pushed again after its deletion', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const platformRemove = bench.world.spaces.delete.bind(bench.world.spaces)
    let pushed = ''
    bench.world.spaces.delete = (name) => {
      // The push arrives while the teardown is under way.
      if (pushed === '') pushed = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '9' }, 'main')
      bench.manager.requestLook()
      return platformRemove(name)
    }
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const environment = await eventually(
      () => bench.environment('feature-x'),
      (now) => now?.generation === 2 && now.phase === 'ready',
    )
    expect(environment?.services[0]?.deployedCommit).toBe(pushed)
    expect((await bench.receipts('feature-x')).map(({ generation }) => generation)).toEqual([1])
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(pushed)}`])
  })

  it('retires the copy of a superseded commit when the branch is pushed back to what already serves', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const before = bench.git.headOf('shop', 'feature/x')
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    bench.world.sickness = () => 'never ready'
    await bench.settle()
    bench.world.sickness = () => undefined
    bench.git.branches.get('shop')?.set('feature/x', before)
    await bench.settle()
    await ready('feature-x')
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(before)}`])
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(before)}`)
  })

  it('removes a service that the branch no longer changes, so that calls fall back again', async () => {
    const main = bench.git.headOf('shop', 'main')
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2', 'payments/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const head = bench.git.commit('shop', 'feature/x', { 'payments/server.js': '1' })
    await bench.settle()
    await eventually(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1 && copies[0] === `orders@${short(head)}`,
    )
    expect(bench.center.seenBy('feature-x')['payments']).toBe(`integration@${short(main)}`)
  })
})

describe('deploys that fail', () => {
  it('keeps the good copy serving, says the cause, and is degraded', async () => {
    const good = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const bad = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    bench.world.sickness = ({ commitSha }) => (commitSha === bad ? 'port 8080 refused' : undefined)
    await bench.settle()
    const environment = await eventually(
      () => bench.environment('feature-x'),
      (now) => now?.phase === 'degraded' && now.conditions.some(({ reason }) => reason === 'GaveUp'),
    )
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(good)}`)
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(good)}`])
    expect(environment?.services[0]).toMatchObject({ wantedCommit: bad, deployedCommit: good, status: 'failed' })
    expect(environment?.conditions.find(({ type }) => type === 'ServiceHealthy')?.message).toContain(
      'port 8080 refused',
    )
    const failed = (await bench.runs('feature-x')).filter(({ state }) => state === 'failed')
    expect(failed).toHaveLength(3)
    expect(failed[0]?.steps.find(({ name }) => name === 'wait-healthy')).toMatchObject({
      state: 'failed',
      service: 'orders',
    })
  })

  it('registers the services that came up when another one did not, and is failed without any good copy', async () => {
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2', 'payments/server.js': '2' }, 'main')
    bench.world.sickness = ({ service, environment }) =>
      service === 'payments' && environment === 'feature-x' ? 'crashed' : undefined
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'failed',
    )
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(head)}`)
    expect(bench.center.seenBy('feature-x')['payments']).toBe(`integration@${short(bench.git.headOf('shop', 'main'))}`)
  })

  it('does not build a commit again whose build failed, until somebody asks', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    let builds = 0
    bench.world.onDeploy = async ({ environment }) => {
      if (environment !== 'feature-x') return
      builds += 1
      if (builds === 1) throw failure('PLATFORM_BUILD_FAILED', 'npm ci failed: ENOTFOUND')
    }
    await bench.start()
    await bench.settle()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'failed',
    )
    bench.manager.mark('feature-x')
    await bench.settle()
    expect(builds).toBe(1)
    await requestRetry(bench.store, 'feature-x')
    bench.manager.mark('feature-x')
    await ready('feature-x')
    expect(builds).toBe(2)
  })

  it('leaves a service with a bad definition as it was last good, says file and line, and goes on with the others', async () => {
    const good = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const next = bench.git.commit('shop', 'feature/x', {
      'orders/service.yaml': 'apiVersion: tributary/v1\nkind: Service\nname: orders\nport: 1\n',
      'payments/server.js': '2',
    })
    await bench.settle()
    const environment = await eventually(
      () => bench.environment('feature-x'),
      (now) =>
        now?.phase === 'degraded' &&
        now.services.some(({ name, status }) => name === 'payments' && status === 'healthy'),
    )
    const condition = environment?.conditions.find(({ type }) => type === 'DefinitionValid')
    expect(condition).toMatchObject({ service: 'orders', status: 'False' })
    expect(condition?.message).toContain('orders/service.yaml:4:1: unknown field "port"; did you mean "ports"?')
    expect(bench.center.seenBy('feature-x')).toEqual({
      orders: `feature-x@${short(good)}`,
      payments: `feature-x@${short(next)}`,
    })
  })

  it('goes back to the old copy when the verification fails', async () => {
    const verified = definition('orders', 'verify: { http: { path: /v, expect: 200 } }\n')
    const good = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    // Nothing listens on the fake's ports, so the check cannot be answered.
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': verified })
    await bench.settle()
    await eventually(
      () => bench.environment('feature-x'),
      (now) => now?.conditions.some(({ reason }) => reason === 'GaveUp') === true,
    )
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(good)}`)
    expect(bench.world.copiesOf('feature-x')).toEqual([`orders@${short(good)}`])
    const [run] = await bench.runs('feature-x')
    expect(run?.error?.code).toBe('VERIFY_FAILED')
  })

  it('gives all environments one key for routing contexts, also after a restart, and the public address of the baseline', async () => {
    await bench.start()
    await bench.settle()
    await ready('integration')
    await bench.manager.stop()
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const variables = [...bench.world.started.values()].map(({ environmentVariables }) => environmentVariables)
    expect(new Set(variables.map(({ TRIBUTARY_TENANT }) => TRIBUTARY_TENANT)).size).toBe(2)
    const [key, ...others] = new Set(variables.map(({ TRIBUTARY_CONTEXT_KEY }) => TRIBUTARY_CONTEXT_KEY))
    expect([key, others]).toEqual([expect.stringMatching(/^[\w-]{43}$/), []])
    for (const { TRIBUTARY_PUBLIC_URL } of variables) {
      expect(TRIBUTARY_PUBLIC_URL).toBe('http://integration.localhost:7480/{service}/')
    }
  })

  it('never writes a secret into a log or a record of a run', async () => {
    bench.git.commit('shop', 'main', {
      'orders/service.yaml': definition('orders', 'secrets: [{ name: key, generate: { bytes: 16 } }]\n'),
    })
    await bench.start()
    await bench.settle()
    await ready('integration')
    const [started] = [...bench.world.started.values()].filter(({ service }) => service === 'orders')
    const variables = started?.environmentVariables ?? {}
    const secrets = [started?.secrets['key'], variables['TRIBUTARY_TOKEN'], variables['TRIBUTARY_CONTEXT_KEY']].map(
      (secret) => secret ?? '',
    )
    expect(secrets.every((secret) => secret.length > 10)).toBe(true)
    const logs = readdirSync(join(bench.directory, 'run-logs')).map((file) =>
      readFileSync(join(bench.directory, 'run-logs', file), 'utf8'),
    )
    const text = [...logs, JSON.stringify(await bench.runs('integration')), ...bench.logged].join('\n')
    expect(text).toContain('starting orders with token [secret]')
    for (const secret of secrets) expect(text).not.toContain(secret)
  })
})

describe('git servers that cannot be believed', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
  })

  it.each([
    [
      'fails',
      () => {
        throw failure('GIT_UNREACHABLE', 'connection reset')
      },
    ],
    ['lists nothing', () => new Map<string, string>()],
    ['lacks the integration branch', () => new Map([['other', 'a'.repeat(40)]])],
    ['names something that is no commit', () => new Map([['main', '<html>']])],
  ])('deletes nothing when one %s', async (_name, answer) => {
    bench.git.answer = answer
    await bench.settle()
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    expect(bench.world.copiesOf('feature-x')).toHaveLength(1)
    expect(bench.manager.status().repositories[0]?.error).toBeTruthy()
  })

  it('deletes nothing when only one of two answers lacks the branch', async () => {
    let answers = 0
    bench.git.answer = (_, branches) => {
      answers += 1
      return answers === 1 ? new Map([...branches].filter(([branch]) => branch === 'main')) : branches
    }
    await bench.settle()
    expect(answers).toBe(2)
    expect(await bench.phase('feature-x')).toBe('ready')
  })

  it('survives a restart while the git server is down: nothing is touched', async () => {
    await bench.manager.stop()
    bench.git.answer = () => {
      throw failure('GIT_UNREACHABLE', 'down')
    }
    await bench.start()
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    expect(bench.world.copiesOf('feature-x')).toHaveLength(1)
  })
})

describe('the deletion breaker', () => {
  it('freezes a mass deletion and lets exactly the approved set go', async () => {
    const branches = Array.from({ length: 7 }, (_, index) => `feature/${index}`)
    for (const branch of branches) bench.git.commit('shop', branch, { 'orders/server.js': branch }, 'main')
    await bench.start()
    await bench.settle()
    for (const index of branches.keys()) await ready(`feature-${index}`)
    for (const branch of branches.slice(0, 6)) bench.git.delete('shop', branch)
    await bench.settle()
    const waiting = await findBreaker(bench.store)
    expect(waiting?.wouldDelete).toHaveLength(6)
    expect(await bench.phase('feature-0')).toBe('ready')
    bench.git.delete('shop', 'feature/6')
    await approveRemovals(bench.store, waiting?.approvalId ?? '')
    await bench.settle()
    expect(await bench.phase('feature-0')).toBe('ready')
    const again = await findBreaker(bench.store)
    expect(again?.wouldDelete).toHaveLength(7)
    await expect(approveRemovals(bench.store, waiting?.approvalId ?? '')).rejects.toMatchObject({
      code: 'APPROVAL_NOT_FOUND',
    })
    await approveRemovals(bench.store, again?.approvalId ?? '')
    await bench.settle()
    for (const index of branches.keys()) await gone(`feature-${index}`)
    expect(await findBreaker(bench.store)).toBeUndefined()
    expect([...bench.world.spaces]).toEqual(['integration'])
  })
})

describe('names', () => {
  it('gives two branches with one slug two environments', async () => {
    bench.git.commit('shop', 'feature/a-b', { 'orders/server.js': '2' }, 'main')
    bench.git.commit('shop', 'feature/a_b', { 'orders/server.js': '3' }, 'main')
    await bench.start()
    await bench.settle()
    const records = (await listEnvironments(bench.store)).filter(({ name }) => name !== 'integration')
    expect(new Set(records.map(({ name }) => name)).size).toBe(2)
    expect(records.map(({ branch }) => branch).sort()).toEqual(['feature/a-b', 'feature/a_b'])
    for (const { name } of records) await ready(name)
  })
})

describe('branches that say more', () => {
  it('masks, names services, and overlays the base branch', async () => {
    bench.git.commit('shop', 'feature/base', { 'payments/server.js': '2' }, 'main')
    bench.git.commit(
      'shop',
      'feature/top',
      { 'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nbase: feature/base\nservices: [orders]\n' },
      'feature/base',
    )
    bench.git.commit(
      'shop',
      'feature/masked',
      { 'tributary.yaml': 'apiVersion: tributary/v1\nkind: Environment\nmask: [payments]\n' },
      'main',
    )
    await bench.start()
    await bench.settle()
    for (const name of ['feature-base', 'feature-top', 'feature-masked']) await ready(name)
    const base = short(bench.git.headOf('shop', 'feature/base'))
    const top = short(bench.git.headOf('shop', 'feature/top'))
    expect(bench.center.seenBy('feature-top')).toEqual({
      orders: `feature-top@${top}`,
      payments: `feature-base@${base}`,
    })
    expect(bench.center.seenBy('feature-masked')['payments']).toBe('masked by feature-masked')
    bench.git.delete('shop', 'feature/base')
    await bench.settle()
    await gone('feature-base')
    const environment = await eventually(
      () => bench.environment('feature-top'),
      (now) => now?.base === 'integration' && now.phase === 'ready',
    )
    expect(environment?.conditions.find(({ reason }) => reason === 'BaseMissing')?.message).toContain('feature/base')
  })

  it('unites the same branch of two repositories, and goes when the last of them goes', async () => {
    await bench.store.close()
    const config = {
      repositories: ['shop', 'stock'].map((name) => ({
        name,
        url: `https://git.example/${name}`,
        integrationBranch: 'main',
      })),
    }
    const two = await TestBench.open(config)
    try {
      for (const repository of ['shop', 'stock']) {
        two.git.commit(repository, 'main', { 'service.yaml': definition(`${repository}-api`), a: '1' })
        two.git.commit(repository, 'feature/x', { a: '2' }, 'main')
      }
      await two.start()
      await two.settle()
      await eventually(
        () => two.phase('feature-x'),
        (phase) => phase === 'ready',
      )
      expect(two.world.copiesOf('feature-x').map((copy) => copy.split('@')[0])).toEqual(['shop-api', 'stock-api'])
      two.git.delete('stock', 'feature/x')
      await two.settle()
      await eventually(
        () => two.world.copiesOf('feature-x'),
        (copies) => copies.length === 1,
      )
      two.git.delete('shop', 'feature/x')
      await two.settle()
      await eventually(
        () => two.record('feature-x'),
        (record) => record === undefined,
      )
      expect(await two.receipts('feature-x')).toHaveLength(1)
    } finally {
      await two.close()
    }
  })
})

describe('people', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
  })

  it('may delete an environment, which comes back at the next push', async () => {
    await requestTeardown(bench.store, 'feature-x', Date.now())
    bench.manager.mark('feature-x')
    await gone('feature-x')
    await bench.settle()
    expect(await bench.record('feature-x')).toBeUndefined()
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await ready('feature-x')
    expect((await bench.environment('feature-x'))?.generation).toBe(2)
  })

  it('may roll a service back, until the next push', async () => {
    const first = bench.git.headOf('shop', 'feature/x')
    const second = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await eventually(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(second)}`,
    )
    await rollBackService(bench.store, { environment: 'feature-x', service: 'orders' })
    bench.manager.mark('feature-x')
    await eventually(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1 && copies[0] === `orders@${short(first)}`,
    )
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(first)}`)
    await ready('feature-x')
    const third = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '4' })
    await bench.settle()
    await eventually(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(third)}`,
    )
  })

  it('are asked nothing when an environment expires, unless it is pinned', async () => {
    await bench.manager.stop()
    bench.config = { ...bench.config, ttlHours: 1 }
    bench.now = () => Date.now() + 2 * 3_600_000
    await patchEnvironment(bench.running, 'feature-x', { pinned: true })
    await bench.start()
    await bench.settle()
    expect(await bench.phase('feature-x')).toBe('ready')
    await patchEnvironment(bench.running, 'feature-x', { pinned: false })
    await bench.settle()
    await gone('feature-x')
    expect((await bench.receipts('feature-x'))[0]?.reason).toBe('expired')
    await bench.settle()
    expect(await bench.record('feature-x')).toBeUndefined()
  })

  it('keep what they set in a config document across deploys that bring new defaults', async () => {
    const withDefaults = (more: string): string => definition('orders', `config: { defaults: { size: 1${more} } }\n`)
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': withDefaults('') })
    await bench.settle()
    await eventually(
      () => bench.center.document('feature-x', 'orders'),
      (document) => document?.['size'] === 1,
    )
    bench.center.setDocument('feature-x', 'orders', { size: 50 })
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': withDefaults(', color: red') })
    await bench.settle()
    const document = await eventually(
      () => bench.center.document('feature-x', 'orders'),
      (now) => now?.['color'] === 'red',
    )
    expect(document).toEqual({ size: 50, color: 'red' })
  })
})

describe('the world outside', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
  })

  it('starts a copy again that is gone, and registers it where it is', async () => {
    const id = (await bench.record('feature-x'))?.services['orders']?.deployed?.workloadId ?? ''
    bench.world.workloads.delete(id)
    bench.manager.mark('feature-x')
    await eventually(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1,
    )
    await ready('feature-x')
    const entry = bench.center.tenants.get('feature-x')?.entries.get('orders')
    expect(entry?.spec.endpoints).toEqual(bench.world.workloads.get(id)?.endpoints)
  })

  it('shows a copy that died as unhealthy, and as healthy when it is back, without being asked', async () => {
    bench.world.change('feature-x', 'orders', { health: 'unhealthy', message: 'exited with 1' })
    const sick = await eventually(
      () => bench.environment('feature-x'),
      (now) => now?.phase === 'degraded',
    )
    expect(sick?.conditions.find(({ type }) => type === 'Ready')?.message).toContain('exited with 1')
    bench.world.change('feature-x', 'orders', { health: 'healthy', message: null })
    await ready('feature-x')
  })

  it('registers an entry again that somebody deleted', async () => {
    bench.center.tenants.get('feature-x')?.entries.delete('orders')
    bench.manager.mark('feature-x')
    const seen = await eventually(
      () => bench.center.seenBy('feature-x')['orders'],
      (owner) => owner?.startsWith('feature-x@') === true,
    )
    expect(seen).toBe(`feature-x@${short(bench.git.headOf('shop', 'feature/x'))}`)
  })

  it('leaves entries alone that others registered', async () => {
    const entry = { state: 'present' as const, spec: { endpoints: [] }, revision: 1 }
    bench.center.tenants.get('feature-x')?.entries.set('laptop', entry)
    bench.manager.mark('feature-x')
    await bench.settle()
    expect(bench.center.tenants.get('feature-x')?.entries.has('laptop')).toBe(true)
  })

  it('waits while the config center is down, loses nothing, and begins no run', async () => {
    bench.center.outage = new AppError({ kind: 'unavailable', code: 'SERVER_UNREACHABLE', message: 'down' })
    const runs = (await bench.runs('feature-x')).length
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    const environment = await eventually(
      () => bench.environment('feature-x'),
      (now) => now?.conditions.some(({ reason }) => reason === 'ServerUnreachable') === true,
    )
    expect(environment?.services[0]?.status).toBe('healthy')
    expect(await bench.runs('feature-x')).toHaveLength(runs)
    bench.center.outage = undefined
    await eventually(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(head)}`,
    )
  })

  it('removes what bears our label and has no environment, and nothing else', async () => {
    bench.world.spaces.add('left-over')
    await bench.routes.apply('left-over')
    bench.center.setDocument('integration', '*', { kept: true })
    const labels = { 'tributary/environment': 'old', 'tributary/instance': 'tributary' }
    const tenant = { base: 'integration', entries: new Map(), documents: new Map(), schemas: new Map() }
    bench.center.tenants.set('old', { ...tenant, spec: { labels } })
    bench.center.tenants.set('theirs', { ...tenant, spec: { labels: { 'tributary/environment': 'theirs' } } })
    await removeOrphans(bench.dependencies(), new AbortController().signal)
    expect([...bench.world.spaces].sort()).toEqual(['feature-x', 'integration'])
    expect((await bench.routes.list()).toSorted()).toEqual(['feature-x', 'integration'])
    expect([...bench.center.tenants.keys()].sort()).toEqual(['feature-x', 'integration', 'theirs'])
    expect(bench.center.document('integration', '*')).toEqual({ kept: true })
  })

  it('goes on with an environment although another one fails for ever', async () => {
    bench.world.onDeploy = async ({ environment }) => {
      if (environment === 'feature-bad') throw new Error('poison')
    }
    bench.git.commit('shop', 'feature/bad', { 'orders/server.js': 'x' }, 'main')
    bench.git.commit('shop', 'feature/good', { 'orders/server.js': 'y' }, 'main')
    await bench.settle()
    await ready('feature-good')
    const bad = await eventually(
      () => bench.environment('feature-bad'),
      (now) => now?.phase === 'failed',
    )
    expect(bad?.conditions.find(({ type }) => type === 'ServiceHealthy')?.message ?? 'poison').toContain('poison')
  })
})

describe('a manager that starts again', () => {
  beforeEach(async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await eventually(
      () => listEnvironments(bench.store),
      (records) => records.every(({ settledFor }) => settledFor !== null),
    )
    await bench.manager.stop()
  })

  it('does not read repositories again for what is as it should be', async () => {
    const dependencies = bench.dependencies()
    const read: string[] = []
    const content = {
      load: async (...given: Parameters<typeof dependencies.content.load>) => {
        read.push(given[1])
        return dependencies.content.load(...given)
      },
    }
    await bench.start({ ...dependencies, content })
    await bench.settle()
    await ready('feature-x')
    expect(read).toEqual([])
    const head = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await eventually(
      () => bench.center.seenBy('feature-x')['orders'],
      (seen) => seen === `feature-x@${short(head)}`,
    )
    expect(read).toContain(head)
  })

  it('serves preview URLs again, and keeps generated secrets and the token', async () => {
    bench.routes.served.clear()
    const before = [...bench.world.started.values()].map(
      ({ environmentVariables }) => environmentVariables['TRIBUTARY_TOKEN'],
    )
    await bench.start()
    expect([...bench.routes.served].sort()).toEqual(['feature-x', 'integration'])
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    await bench.settle()
    await ready('feature-x')
    const after = [...bench.world.started.values()].map(
      ({ environmentVariables }) => environmentVariables['TRIBUTARY_TOKEN'],
    )
    expect(new Set(after)).toEqual(new Set(before))
  })

  it('forgets runs of environments that are gone after a month, and keeps their receipts', async () => {
    await bench.start()
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    await gone('feature-x')
    await bench.manager.stop()
    expect(await bench.runs('feature-x')).toHaveLength(2)
    bench.now = () => Date.now() + 31 * 24 * 3_600_000
    await bench.start()
    await eventually(
      () => bench.runs('feature-x'),
      (runs) => runs.length === 0,
    )
    expect((await bench.runs('integration')).length).toBeGreaterThan(0)
    expect(await bench.receipts('feature-x')).toHaveLength(1)
  })
})

describe('a teardown that does not get through', () => {
  it('writes no receipt while something is still there, names it, and goes on until it is gone', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const remove = bench.world.spaces.delete.bind(bench.world.spaces)
    let stuck = true
    bench.world.spaces.delete = (name) => (stuck ? false : remove(name))
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    const [failed] = await eventually(
      () => bench.runs('feature-x'),
      (runs) => runs[0]?.kind === 'teardown' && runs[0].state === 'failed',
    )
    expect(failed?.error).toMatchObject({
      code: 'TEARDOWN_INCOMPLETE',
      message: expect.stringContaining('space feature-x'),
    })
    expect(await bench.receipts('feature-x')).toEqual([])
    expect(await bench.phase('feature-x')).toBe('terminating')
    stuck = false
    await gone('feature-x')
    expect(await bench.receipts('feature-x')).toHaveLength(1)
  })
})

describe('secrets and schemas of a definition', () => {
  const orders = (more: string): Record<string, string> => ({ 'orders/service.yaml': definition('orders', more) })

  it('gives a service what the platform offers, and says what to do when it offers nothing', async () => {
    bench.git.commit('shop', 'feature/x', orders('secrets: [{ name: mail }]\n'), 'main')
    bench.git.commit('shop', 'feature/y', orders('secrets: [{ name: none }]\n'), 'main')
    await bench.start({ ...bench.dependencies(), offeredSecrets: { mail: 'offered-value' } })
    await bench.settle()
    await ready('feature-x')
    const started = [...bench.world.started.values()].find(({ environment }) => environment === 'feature-x')
    expect(started?.secrets).toEqual({ mail: 'offered-value' })
    const environment = await eventually(
      () => bench.environment('feature-y'),
      (now) => now?.phase === 'failed',
    )
    const condition = environment?.conditions.find(({ reason }) => reason === 'GaveUp')
    expect(condition?.message).toContain('Secret "none" has no "generate"')
  })

  it('registers the schema with the copy, changes it with the next, and takes it away with the definition’s', async () => {
    const config = 'config: { schema: schema.json, defaults: { size: 1 } }\n'
    const schemaOf = (minimum: number) => ({
      'orders/schema.json': JSON.stringify({ properties: { size: { minimum } } }),
    })
    const registered = async (): Promise<unknown> => {
      const environment = await bench.environment('feature-x')
      if (environment?.phase !== 'ready') return undefined
      return bench.center.schemas('feature-x').map(({ service, schema }) => ({ service, schema }))
    }
    const becomes = (expected: unknown) =>
      eventually(registered, (now) => JSON.stringify(now) === JSON.stringify(expected))
    bench.git.commit('shop', 'feature/x', { ...orders(config), ...schemaOf(0) }, 'main')
    await bench.start()
    await bench.settle()
    await becomes([{ service: 'orders', schema: { properties: { size: { minimum: 0 } } } }])
    bench.git.commit('shop', 'feature/x', { ...orders(config), ...schemaOf(1) })
    await bench.settle()
    await becomes([{ service: 'orders', schema: { properties: { size: { minimum: 1 } } } }])
    bench.git.commit('shop', 'feature/x', orders('config: { defaults: { size: 2 } }\n'))
    await bench.settle()
    await becomes([])
  })

  it('refuses defaults that break their schema, and a schema that is not there', async () => {
    const config = 'config: { schema: schema.json, defaults: { size: big } }\n'
    const schema = { 'orders/schema.json': '{"properties":{"size":{"type":"integer"}}}' }
    bench.git.commit('shop', 'feature/x', { ...orders(config), ...schema }, 'main')
    bench.git.commit('shop', 'feature/y', orders(config), 'main')
    await bench.start()
    await bench.settle()
    const messageOf = async (name: string): Promise<string | undefined> =>
      (await bench.environment(name))?.conditions.find(({ type }) => type === 'DefinitionValid')?.message
    const broken = await eventually(
      () => messageOf('feature-x'),
      (message) => message !== undefined,
    )
    expect(broken).toBe('orders/service.yaml:3:7: orders/schema.json: config.defaults/size must be integer')
    const missing = await eventually(
      () => messageOf('feature-y'),
      (message) => message !== undefined,
    )
    expect(missing).toContain('config.schema: orders/schema.json is not in the repository')
  })
})

describe('what is left of earlier days', () => {
  it('starts the good copy again, as its own commit defines it, while a newer commit was given up on', async () => {
    const good = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    bench.world.onDeploy = async ({ commitSha, environment }) => {
      if (environment === 'feature-x' && commitSha !== good) throw failure('PLATFORM_BUILD_FAILED', 'no')
    }
    bench.git.commit('shop', 'feature/x', { 'orders/service.yaml': definition('orders', 'dependsOn: [new]\n') })
    await bench.settle()
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'degraded',
    )
    await bench.manager.idle()
    for (const [id, { environment }] of bench.world.workloads)
      if (environment === 'feature-x') bench.world.workloads.delete(id)
    bench.manager.mark('feature-x')
    await eventually(
      () => bench.world.copiesOf('feature-x'),
      (copies) => copies.length === 1,
    )
    const started = [...bench.world.started.values()].filter(({ environment }) => environment === 'feature-x').at(-1)
    expect(started?.definition.dependsOn).toEqual(['payments'])
    expect(bench.center.seenBy('feature-x')['orders']).toBe(`feature-x@${short(good)}`)
  })

  it('forgets that a branch rests once the branch is gone', async () => {
    bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    await requestTeardown(bench.store, 'feature-x', Date.now())
    bench.manager.mark('feature-x')
    await gone('feature-x')
    expect((await listSuspensions(bench.store)).size).toBe(1)
    bench.git.delete('shop', 'feature/x')
    await bench.settle()
    expect((await listSuspensions(bench.store)).size).toBe(0)
  })
})
