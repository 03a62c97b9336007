import {
  CallExplanation,
  Environment,
  ErrorBody,
  LogLine,
  ManagerStatus,
  Plan,
  Run,
  Topology,
  TopologyDifference,
  type TokenInfo,
} from '@tributary/contract'
import { createEnvManagerClient } from '@tributary/client'
import { AppError } from '@tributary/kit'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createConfigPassThrough } from './adapters/config-center/pass-through.js'
import { buildApp } from './app.js'
import type { TypedApp } from './http/route-deps.js'
import { definition, eventually, gate, TestBench } from './reconcile/test-bench.test-support.js'
import { EventHub } from './watch/event-hub.js'
import { followStore } from './watch/follow-store.js'

const ROLES: Readonly<Record<string, TokenInfo['role']>> = {
  adm: 'admin',
  dep: 'deployer',
  view: 'viewer',
  ten: 'tenant',
}

/** Nobody listens there. */
const NOWHERE = { url: 'http://127.0.0.1:9', token: 'none' }

let bench: TestBench
let app: TypedApp
let asked: string[]
let outage = false
let stopping: AbortController
let following: Promise<void>

beforeEach(async () => {
  asked = []
  outage = false
  bench = await TestBench.open()
  bench.git.commit('shop', 'main', {
    'orders/service.yaml': definition('orders', 'dependsOn: [payments, mail]\n'),
    'payments/service.yaml': definition('payments'),
  })
  bench.git.commit('shop', 'feature/x', { 'orders/a': '2' }, 'main')
  await bench.start()
  const callers = {
    identify: async (token: string): Promise<TokenInfo | undefined> => {
      asked.push(token)
      if (outage) throw new AppError({ kind: 'unavailable', code: 'CONFIG_CENTER_UNREACHABLE', message: 'down' })
      const role = ROLES[token]
      return role === undefined
        ? undefined
        : { tokenId: token, name: token, role, createdAt: '2026-01-01T00:00:00.000Z' }
    },
  }
  const events = new EventHub()
  stopping = new AbortController()
  following = followStore(bench.store, { hub: events, clock: bench.running.clock, signal: stopping.signal })
  app = await buildApp({
    events,
    deps: bench.running,
    loop: bench.manager,
    callers,
    configPassThrough: createConfigPassThrough(NOWHERE),
  })
  await bench.settle()
  await bench.atRest(
    () => bench.phase('feature-x'),
    (phase) => phase === 'ready',
  )
})

afterEach(async () => {
  await app.close()
  stopping.abort()
  await following
  await bench.close()
})

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
async function call(
  method: Method,
  url: string,
  given: { token?: string; body?: object } = {},
): Promise<{ status: number; json: unknown }> {
  const { token = 'dep', body } = given
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` }
  const response = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) })
  return { status: response.statusCode, json: JSON.parse(response.body === '' ? 'null' : response.body) as unknown }
}
const code = (json: unknown): string =>
  Value.Check(ErrorBody, json) ? json.error.code : `not an ErrorBody: ${JSON.stringify(json)}`
function expectShape(schema: TSchema, json: unknown): void {
  expect([...Value.Errors(schema, json)].map(({ instancePath, message }) => `${instancePath} ${message}`)).toEqual([])
}

describe('who may call', () => {
  const READS = [
    '/v1/environments',
    '/v1/environments/feature-x',
    '/v1/environments/feature-x/plan',
    '/v1/environments/feature-x/topology',
    '/v1/environments/feature-x/explain?call=orders',
    '/v1/environments/feature-x/ledger',
    '/v1/environments/feature-x/receipts',
    '/v1/runs',
    '/v1/status',
  ]
  const WRITES: readonly { readonly method: Method; readonly url: string; readonly body?: object }[] = [
    { method: 'PATCH', url: '/v1/environments/feature-x', body: { pinned: true } },
    { method: 'POST', url: '/v1/environments/feature-x/reconcile' },
    { method: 'POST', url: '/v1/environments/feature-x/sleep' },
    { method: 'POST', url: '/v1/environments/feature-x/wake' },
    { method: 'POST', url: '/v1/environments/feature-x/redeploy', body: {} },
    { method: 'POST', url: '/v1/environments/feature-x/services/orders/rollback', body: {} },
    {
      method: 'PUT',
      url: `/v1/environments/feature-x/services/orders/images/${'a'.repeat(40)}`,
      body: { image: 'a:1' },
    },
    { method: 'POST', url: '/v1/hints/git', body: {} },
    { method: 'POST', url: '/v1/breaker/approve', body: { approvalId: 'x' } },
    { method: 'DELETE', url: '/v1/environments/feature-x' },
  ]

  it.each(READS)('lets viewers read %s, and nobody without a good token', async (url) => {
    expect((await call('GET', url, { token: 'view' })).status).toBe(200)
    expect(code((await call('GET', url, { token: '' })).json)).toBe('TOKEN_MISSING')
    expect(code((await call('GET', url, { token: 'nope' })).json)).toBe('TOKEN_INVALID')
    expect(code((await call('GET', url, { token: 'ten' })).json)).toBe('ROLE_NOT_ALLOWED')
  })

  it.each(WRITES)('lets only deployers and admins $method $url', async ({ method, url, body }) => {
    const given = body === undefined ? {} : { body }
    for (const token of ['view', 'ten']) {
      const refused = await call(method, url, { ...given, token })
      expect([refused.status, code(refused.json)]).toEqual([403, 'ROLE_NOT_ALLOWED'])
    }
    expect((await call(method, url, { ...given, token: 'adm' })).status).not.toBe(403)
  })

  it('leaves health, readiness and the API description open', async () => {
    for (const url of ['/healthz', '/readyz', '/openapi.json'])
      expect((await call('GET', url, { token: '' })).status).toBe(200)
  })

  it('is not ready while the config center does not answer it', async () => {
    bench.center.outage = new AppError({ kind: 'unavailable', code: 'SERVER_UNREACHABLE', message: 'down' })
    const answer = await call('GET', '/readyz', { token: '' })
    expect([answer.status, code(answer.json)]).toEqual([503, 'NOT_READY'])
    bench.center.outage = undefined
    expect((await call('GET', '/readyz', { token: '' })).status).toBe(200)
  })

  it('shows its metrics to viewers only', async () => {
    const metrics = (token: string) => app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token}` } })
    expect((await metrics('ten')).statusCode).toBe(403)
    const answer = await metrics('view')
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answer.payload.split('\n')).toEqual(
      expect.arrayContaining([
        'env_manager_environments{phase="ready"} 2',
        'env_manager_environments{phase="failed"} 0',
        'env_manager_queue_length 0',
        'env_manager_breaker_removals 0',
        'env_manager_repositories_failing 0',
      ]),
    )
  })

  it('remembers who bears a token for ten seconds, and answers 503 while that cannot be asked', async () => {
    await call('GET', '/v1/runs', { token: 'view' })
    await call('GET', '/v1/runs', { token: 'view' })
    expect(asked.filter((token) => token === 'view')).toHaveLength(1)
    outage = true
    expect((await call('GET', '/v1/runs', { token: 'view' })).status).toBe(200)
    const refused = await call('GET', '/v1/runs', { token: 'adm' })
    expect([refused.status, code(refused.json)]).toEqual([503, 'CONFIG_CENTER_UNREACHABLE'])
  })
})

describe('what comes back', () => {
  it('keeps the contract of every answer', async () => {
    const environments = (await call('GET', '/v1/environments')).json as { environments: unknown[] }
    expect(environments.environments).toHaveLength(2)
    for (const environment of environments.environments) expectShape(Environment, environment)
    expectShape(Environment, (await call('PATCH', '/v1/environments/feature-x', { body: { pinned: true } })).json)
    expectShape(Plan, (await call('GET', '/v1/environments/feature-x/plan')).json)
    expectShape(Topology, (await call('GET', '/v1/environments/feature-x/topology')).json)
    expectShape(
      TopologyDifference,
      (await call('GET', '/v1/environments/feature-x/topology/diff?against=integration')).json,
    )
    expectShape(CallExplanation, (await call('GET', '/v1/environments/feature-x/explain?call=payments')).json)
    expectShape(ManagerStatus, (await call('GET', '/v1/status')).json)
    const { runs } = (await call('GET', '/v1/runs?environment=feature-x')).json as { runs: Run[] }
    expect(runs).toHaveLength(1)
    expectShape(Run, runs[0])
    expectShape(Run, (await call('GET', `/v1/runs/${runs[0]?.runId}`)).json)
  })

  it('draws who answers whom, and what is missing', async () => {
    const { nodes, edges, chain } = (await call('GET', '/v1/environments/feature-x/topology')).json as Topology
    expect(chain).toEqual(['feature-x', 'integration'])
    expect(nodes.map(({ service, state, owner, health }) => [service, state, owner, health])).toEqual([
      ['orders', 'own', 'feature-x', 'healthy'],
      ['payments', 'inherited', 'integration', 'healthy'],
      ['mail', 'missing', null, 'unknown'],
    ])
    expect(edges.map(({ from, to }) => `${from}>${to}`)).toEqual(['orders>payments', 'orders>mail'])
  })

  it('explains a call', async () => {
    const { rule, owner, summary } = (await call('GET', '/v1/environments/feature-x/explain?call=payments'))
      .json as CallExplanation
    expect([rule, owner]).toEqual(['inherited', 'integration'])
    expect(summary).toContain('inherits that of integration')
  })

  it('plans nothing when all is well, and what a push needs', async () => {
    expect((await call('GET', '/v1/environments/feature-x/plan')).json).toMatchObject({ actions: [] })
    bench.world.workloads.clear()
    expect((await call('GET', '/v1/environments/feature-x/plan')).json).toMatchObject({
      actions: [{ action: 'restart-service', service: 'orders' }],
    })
  })

  it('deletes an environment, whose receipts and runs can still be read', async () => {
    expect((await call('DELETE', '/v1/environments/feature-x')).status).toBe(202)
    await eventually(
      () => bench.record('feature-x'),
      (record) => record === undefined,
    )
    expect((await call('GET', '/v1/environments/feature-x')).status).toBe(404)
    const { receipts } = (await call('GET', '/v1/environments/feature-x/receipts')).json as {
      receipts: { reason: string }[]
    }
    expect(receipts.map(({ reason }) => reason)).toEqual(['requested'])
    const { runs } = (await call('GET', '/v1/runs?environment=feature-x')).json as { runs: Run[] }
    expect(runs.map(({ kind, state }) => `${kind} ${state}`)).toEqual(['teardown succeeded', 'deploy succeeded'])
    expect(runs[0]?.steps.map(({ name, state }) => `${name} ${state}`)).toEqual(
      [
        'tombstone',
        'deregister',
        'drain',
        'uninstall',
        'remove-routes',
        'remove-space',
        'remove-secrets',
        'remove-tenant',
        'verify',
        'receipt',
      ].map((name) => `${name} succeeded`),
    )
  })

  it('says what holds an environment that does not go, and lets it go when a person says so', async () => {
    bench.world.heldBy = 'example.com/backup'
    await call('DELETE', '/v1/environments/feature-x')
    const stuck = await eventually(
      async () => (await bench.record('feature-x'))?.conditions.find(({ type }) => type === 'Reconciled'),
      (condition) => condition?.reason === 'PlatformStuck',
    )
    expect(stuck).toMatchObject({ reason: 'PlatformStuck', message: 'feature-x is held by example.com/backup' })
    const answer = await call('POST', '/v1/environments/feature-x/release-finalizers')
    expect([answer.status, answer.json]).toEqual([
      200,
      { released: [{ object: 'ConfigMap feature-x/held', finalizers: ['example.com/backup'] }] },
    ])
    await eventually(
      () => bench.record('feature-x'),
      (record) => record === undefined,
    )
  })

  const requested = (changed: boolean) => ({ status: 202, json: { accepted: true, changed } })

  it('leaves a deploy alone when an environment is woken that is awake', async () => {
    const [reached, goOn] = [gate(), gate()]
    bench.world.onDeploy = async (_spec, { signal }) => {
      reached.open()
      await goOn.opened
      signal.throwIfAborted()
    }
    bench.git.commit('shop', 'feature/x', { 'orders/a': '3' })
    bench.manager.requestLook()
    await reached.opened
    expect(await call('POST', '/v1/environments/feature-x/wake')).toEqual(requested(false))
    goOn.open()
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    expect((await bench.runs('feature-x')).map(({ state }) => state)).toEqual(['succeeded', 'succeeded'])
  })

  it('puts to sleep, wakes and keeps longer', async () => {
    expect(await call('POST', '/v1/environments/feature-x/sleep')).toEqual(requested(true))
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'asleep',
    )
    expect(await call('POST', '/v1/environments/feature-x/sleep')).toEqual(requested(false))
    expectShape(Environment, (await call('GET', '/v1/environments/feature-x')).json)
    expect(await call('POST', '/v1/environments/feature-x/wake')).toEqual(requested(true))
    expect(await call('POST', '/v1/environments/feature-x/wake')).toEqual(requested(false))
    await eventually(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    const keepUntil = new Date(Date.now() + 100 * 24 * 3_600_000).toISOString()
    const kept = await call('PATCH', '/v1/environments/feature-x', { body: { keepUntil } })
    expect(kept.json).toMatchObject({ expiresAt: keepUntil })
    const back = await call('PATCH', '/v1/environments/feature-x', { body: { keepUntil: null } })
    expect((back.json as Environment).expiresAt).not.toBe(keepUntil)
  })

  it('tries a failed run again, and no other', async () => {
    bench.world.sickness = () => 'it is ill'
    bench.git.commit('shop', 'feature/x', { 'orders/a': '9' })
    await bench.settle()
    const failed = await eventually(
      async () => (await bench.runs('feature-x')).find(({ state }) => state === 'failed'),
      (run) => run !== undefined,
    )
    bench.world.sickness = () => undefined
    const refused = await call('POST', `/v1/runs/${failed?.runId}/rerun`, { token: 'view' })
    expect([refused.status, code(refused.json)]).toEqual([403, 'ROLE_NOT_ALLOWED'])
    expect((await call('POST', `/v1/runs/${failed?.runId}/rerun`)).status).toBe(202)
    const [done] = await eventually(
      () => bench.runs('feature-x'),
      (runs) => runs[0]?.state === 'succeeded',
    )
    const again = await call('POST', `/v1/runs/${done?.runId}/rerun`)
    expect([again.status, code(again.json)]).toEqual([422, 'RUN_NOT_FAILED'])
  })

  it('takes a hint for any repository, and looks', async () => {
    const before = bench.git.listings
    expect(await call('POST', '/v1/hints/git', { body: { repository: 'shop', branch: 'feature/x' } })).toEqual({
      status: 202,
      json: { accepted: true },
    })
    await bench.manager.idle()
    expect(bench.git.listings).toBe(before + 1)
  })
})

describe('images', () => {
  it('takes the image of a commit, deploys the service with it, and notes who named it', async () => {
    const service = 'payments'
    const yaml = definition(service, 'deploy: { on: image }\n')
    const commitSha = bench.git.commit('shop', 'feature/x', { 'payments/service.yaml': yaml })
    await bench.settle()
    const url = `/v1/environments/feature-x/services/${service}/images/${commitSha}`
    const answer = await call('PUT', url, { body: { image: 'registry.example/payments@sha256:abc' } })
    expect(answer).toEqual({ status: 202, json: { outcome: 'deploys' } })
    await bench.atRest(
      () => bench.phase('feature-x'),
      (phase) => phase === 'ready',
    )
    const [started] = [...bench.world.started.values()].filter(
      (spec) => spec.environment === 'feature-x' && spec.service === service,
    )
    expect(started?.definition.run?.image).toBe('registry.example/payments@sha256:abc')
    expect((await call('PUT', url, { body: { image: 'registry.example/payments@sha256:abc' } })).json).toEqual({
      outcome: 'known',
    })
    const { json } = await call('GET', '/v1/audit?environment=feature-x')
    expect(JSON.stringify(json)).toContain('"service.image"')
  })
})

const COMMIT = 'a'.repeat(40)
const IMAGES = '/v1/environments/feature-x/services/orders/images'

describe('what is refused', () => {
  it.each<[Method, string, object | undefined, number, string]>([
    ['GET', '/v1/environments/none', undefined, 404, 'ENVIRONMENT_NOT_FOUND'],
    ['GET', '/v1/environments/NOT_A_NAME', undefined, 400, 'ARGUMENT_INVALID'],
    ['GET', '/v1/environments/none/topology', undefined, 404, 'ENVIRONMENT_NOT_FOUND'],
    ['GET', '/v1/environments/none/topology/stream', undefined, 404, 'ENVIRONMENT_NOT_FOUND'],
    ['GET', '/v1/environments/feature-x/explain', undefined, 400, 'ARGUMENT_INVALID'],
    ['GET', '/v1/environments/feature-x/logs?service=payments', undefined, 404, 'SERVICE_NOT_FOUND'],
    ['GET', '/v1/environments/feature-x/logs?service=constructor', undefined, 404, 'SERVICE_NOT_FOUND'],
    ['POST', '/v1/environments/feature-x/services/constructor/rollback', {}, 404, 'SERVICE_NOT_FOUND'],
    ['GET', '/v1/runs/none', undefined, 404, 'RUN_NOT_FOUND'],
    ['GET', '/v1/runs?limit=0', undefined, 400, 'ARGUMENT_INVALID'],
    ['GET', '/v1/nothing', undefined, 404, 'ROUTE_NOT_FOUND'],
    ['PATCH', '/v1/environments/feature-x', { pined: true }, 400, 'ARGUMENT_INVALID'],
    ['PATCH', '/v1/environments/feature-x', {}, 400, 'ARGUMENT_INVALID'],
    ['DELETE', '/v1/environments/integration', undefined, 422, 'ENVIRONMENT_PERMANENT'],
    ['POST', '/v1/environments/feature-x/services/nope/rollback', {}, 404, 'SERVICE_NOT_FOUND'],
    ['POST', '/v1/environments/feature-x/services/orders/rollback', {}, 422, 'ROLLBACK_TARGET_MISSING'],
    ['PUT', `${IMAGES}/${COMMIT}`, { image: 'or ders' }, 400, 'ARGUMENT_INVALID'],
    ['PUT', `${IMAGES}/${COMMIT.slice(1)}`, { image: 'orders:1' }, 400, 'ARGUMENT_INVALID'],
    ['PUT', `/v1/environments/none/services/orders/images/${COMMIT}`, { image: 'a:1' }, 404, 'ENVIRONMENT_NOT_FOUND'],
    ['POST', '/v1/environments/integration/sleep', undefined, 422, 'ENVIRONMENT_PERMANENT'],
    ['POST', '/v1/environments/none/wake', undefined, 404, 'ENVIRONMENT_NOT_FOUND'],
    ['POST', '/v1/environments/feature-x/redeploy', { service: 'nope' }, 404, 'SERVICE_NOT_FOUND'],
    ['POST', '/v1/environments/feature-x/release-finalizers', undefined, 422, 'ENVIRONMENT_NOT_TERMINATING'],
    ['POST', '/v1/runs/none/rerun', undefined, 404, 'RUN_NOT_FOUND'],
    ['PATCH', '/v1/environments/feature-x', { keepUntil: '2999-01-01T00:00:00Z' }, 400, 'ARGUMENT_INVALID'],
    ['PATCH', '/v1/environments/feature-x', { keepUntil: 'tomorrow' }, 400, 'ARGUMENT_INVALID'],
    ['POST', '/v1/breaker/approve', { approvalId: 'x' }, 409, 'APPROVAL_NOT_FOUND'],
    ['POST', '/v1/hints/git', { repository: 'x'.repeat(70_000) }, 400, 'BODY_TOO_LARGE'],
  ])('answers %s %s with its code', async (method, url, body, status, expected) => {
    const answer = await call(method, url, body === undefined ? {} : { body })
    expect([answer.status, code(answer.json)]).toEqual([status, expected])
  })

  it('names the field that is wrong', async () => {
    const { json } = await call('PATCH', '/v1/environments/feature-x', { body: { pined: true } })
    expect(JSON.stringify(json)).toContain('must not have additional properties: pined')
  })

  it('says nothing of a bug but where to look', async () => {
    bench.store.range = async () => {
      throw new Error('password=hunter2')
    }
    const { status, json } = await call('GET', '/v1/environments')
    expect([status, code(json)]).toEqual([500, 'INTERNAL'])
    expect(JSON.stringify(json)).not.toContain('hunter2')
  })
})

describe('streams, through the typed client', () => {
  const client = async () => {
    const baseUrl = await app.listen({ host: '127.0.0.1', port: 0 })
    return createEnvManagerClient({ baseUrl, token: 'view' })
  }

  it('follows a run from its first step to its end', async () => {
    const manager = await client()
    let letGo = (): void => undefined
    const held = new Promise<void>((resolve) => (letGo = resolve))
    bench.world.onDeploy = async () => held
    bench.git.commit('shop', 'feature/x', { 'orders/a': '3' })
    bench.manager.requestLook()
    const [run] = await eventually(
      () => bench.runs('feature-x'),
      (runs) => runs[0]?.steps.some(({ name, state }) => name === 'deploy' && state === 'running') === true,
    )
    const states: string[] = []
    const lines: LogLine[] = []
    for await (const event of manager.followRun(run?.runId ?? '', { follow: true }, AbortSignal.timeout(10_000))) {
      if (event.kind === 'log') lines.push(event.line)
      else states.push(event.run.state)
      letGo()
    }
    expect(states[0]).toBe('running')
    expect(states.at(-1)).toBe('succeeded')
    for (const line of lines) expectShape(LogLine, line)
    expect(lines.some(({ source, text }) => source === 'report' && text.includes('http://feature-x.localhost'))).toBe(
      true,
    )
  })

  it('tells a run that has ended, and a service’s lines, and ends', async () => {
    const manager = await client()
    const [run] = await bench.runs('feature-x')
    const kinds: string[] = []
    for await (const event of manager.followRun(run?.runId ?? '', {}, AbortSignal.timeout(10_000)))
      kinds.push(event.kind)
    expect(kinds[0]).toBe('run')
    expect(kinds.length).toBeGreaterThan(5)
    const texts: string[] = []
    for await (const { text } of manager.readLogs('feature-x', { service: 'orders' }, AbortSignal.timeout(10_000)))
      texts.push(text)
    expect(texts).toEqual(['feature-x/orders says hello'])
  })

  it('sends the topology whenever it changes, and ends with the server', async () => {
    const manager = await client()
    const seen: string[] = []
    for await (const topology of manager.watchTopology('feature-x', AbortSignal.timeout(10_000))) {
      seen.push(topology.nodes.find(({ service }) => service === 'orders')?.health ?? '')
      if (seen.length === 1) bench.world.change('feature-x', 'orders', { health: 'unhealthy' })
      else void app.close()
    }
    expect(seen).toEqual(['healthy', 'unhealthy'])
  })
})
