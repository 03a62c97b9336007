import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { failure } from '../errors.js'
import { requestRetry } from '../operations/change-environment.js'
import { short, useShop } from './shop-bench.test-support.js'
import { definition, type TestBench } from './test-bench.test-support.js'

let bench: TestBench
const { ready } = useShop((opened) => (bench = opened))

describe('deploys that fail', () => {
  it('keeps the good copy serving, says the cause, and is degraded', async () => {
    const good = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '2' }, 'main')
    await bench.start()
    await bench.settle()
    await ready('feature-x')
    const bad = bench.git.commit('shop', 'feature/x', { 'orders/server.js': '3' })
    bench.world.sickness = ({ commitSha }) => (commitSha === bad ? 'port 8080 refused' : undefined)
    await bench.settle()
    const environment = await bench.atRest(
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
    await bench.atRest(
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
    await bench.atRest(
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
    const environment = await bench.atRest(
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
    await bench.atRest(
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
    const environment = await bench.atRest(
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
      bench.atRest(registered, (now) => JSON.stringify(now) === JSON.stringify(expected))
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
    const broken = await bench.atRest(
      () => messageOf('feature-x'),
      (message) => message !== undefined,
    )
    expect(broken).toBe('orders/service.yaml:3:7: orders/schema.json: config.defaults/size must be integer')
    const missing = await bench.atRest(
      () => messageOf('feature-y'),
      (message) => message !== undefined,
    )
    expect(missing).toContain('config.schema: orders/schema.json is not in the repository')
  })
})
