import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ENV_MANAGER_PERMISSIONS, type ClusterAccessReport } from '@tributary/env-manager'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addConnectionOptions, createCli } from '../../context.js'
import { fakeRuntime } from '../../testing/fake-runtime.test-support.js'
import { addDoctor } from './doctor.js'
import type { Instruments } from './examine.js'
import type { Finding } from './finding.js'

const NOW = Date.parse('2026-01-02T12:00:00.000Z')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface World {
  readonly instruments?: Partial<Instruments>
  readonly env?: Readonly<Record<string, string>>
  /** Answers by URL; others cannot be reached. */
  readonly answers?: Readonly<Record<string, { status?: number; json: unknown; date?: number | null }>>
  readonly args?: readonly string[]
}

const SERVERS = {
  TRIBUTARY_URL: 'http://127.0.0.1:7400',
  TRIBUTARY_ENV_MANAGER_URL: 'http://127.0.0.1:7401',
  TRIBUTARY_TOKEN: 't',
}
const READY = {
  'http://127.0.0.1:7400/readyz': { json: { status: 'ready' } },
  'http://127.0.0.1:7401/readyz': { json: { status: 'ok' } },
  'http://127.0.0.1:7400/v1/tokens/self': { json: { role: 'admin' } },
}

/** All is well on this machine, unless the world says otherwise. */
async function runDoctor(world: World = {}): Promise<{ status: number; stdout: string }> {
  const fake = fakeRuntime({
    cwd: folder,
    env: world.env ?? {},
    clock: { now: () => NOW, monotonicMs: () => 0, sleep: () => Promise.resolve() },
    fetch: async (input) => {
      const answer = world.answers?.[input instanceof Request ? input.url : input.toString()]
      if (answer === undefined)
        throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) })
      const date = answer.date === null ? {} : { date: new Date(answer.date ?? NOW).toUTCString() }
      return new Response(JSON.stringify(answer.json), { status: answer.status ?? 200, headers: date })
    },
  })
  let status = 0
  const cli = createCli(fake.runtime, (value) => (status = value))
  const program = addConnectionOptions(new Command('tributary').exitOverride())
  addDoctor(program, cli, {
    run: async (name) => (name === 'git' ? 'git version 2.39.5\n' : 'v4.1.4'),
    probePort: async () => false,
    node: '20.20.2',
    reviewAccess: () => undefined,
    ...world.instruments,
  })
  await program.parseAsync(['doctor', ...(world.args ?? [])], { from: 'user' })
  return { status, stdout: fake.stdout() }
}

async function findings(world: World = {}): Promise<readonly Finding[]> {
  const { stdout } = await runDoctor({ ...world, args: ['--json'] })
  return (JSON.parse(stdout) as { findings: readonly Finding[] }).findings
}

async function finding(check: string, world: World = {}): Promise<Finding | undefined> {
  return (await findings(world)).find((each) => each.check === check)
}

function writeConfig(platform: string): void {
  const repositories = 'repositories: [{ name: shop, url: "https://git.example.com/shop.git" }]'
  writeFileSync(
    join(folder, 'tributary.config.yaml'),
    `apiVersion: tributary/v1\nkind: Platform\n${repositories}\n${platform}\n`,
  )
}

describe('on a machine without servers and cluster', () => {
  it('says what is there and what cannot be looked at, and is content', async () => {
    const { status, stdout } = await runDoctor()
    expect(status).toBe(0)
    expect(stdout.replaceAll(folder, '<folder>')).toMatchInlineSnapshot(`
      "ok       node           20.20.2
      ok       git            2.39.5
      skipped  helm           environments do not run on a cluster
      skipped  configuration  there is no <folder>/tributary.config.yaml; run this where the env-manager runs to check its cluster
      skipped  cluster        environments do not run on one
      skipped  config center  no flag, variable or .tributary folder says where it is
      skipped  env-manager    no flag, variable or .tributary folder says where it is
      ok       port 7400      free for the config center
      ok       port 7401      free for the env-manager
      ok       port 7480      free for the gateway

      0 failed, 0 warnings, 5 ok
      "
    `)
  })

  it.each([
    ['node', { node: '18.20.0' }, '18.20.0', 'install Node 20.19 or newer'],
    ['git', { run: async (): Promise<string> => 'git version 2.20.1' }, '2.20.1 is too old', 'install git 2.36'],
    [
      'git',
      { run: (): Promise<string> => Promise.reject(new Error('ENOENT')) },
      'there is no git on PATH',
      'install git 2.36',
    ],
  ] as const)('fails for %s: %o', async (check, instruments, found, advice) => {
    expect(await finding(check, { instruments })).toMatchObject({
      verdict: 'failed',
      found,
      advice: expect.stringContaining(advice),
    })
    expect((await runDoctor({ instruments })).status).toBe(1)
  })

  it('names a port that something else has', async () => {
    const instruments = { probePort: async (port: number) => port === 7480 }
    expect(await finding('port 7480', { instruments })).toMatchObject({
      verdict: 'warning',
      found: 'in use by something else',
    })
    expect((await runDoctor({ instruments })).status).toBe(0)
  })
})

describe('servers', () => {
  it('that are well are said to be so, and their ports are theirs', async () => {
    const instruments = { probePort: async () => true }
    const { status, stdout } = await runDoctor({ env: SERVERS, answers: READY, instruments })
    expect(status).toBe(0)
    expect(stdout).toContain('http://127.0.0.1:7400 is ready')
    expect(stdout).toContain('its role is admin')
    expect(stdout).not.toContain('something else')
  })

  it('that do not answer, have lost their store, stand by, or are something else, are told apart', async () => {
    const check = 'config center'
    const url = 'http://127.0.0.1:7400/readyz'
    const ask = (answer: { status: number; json: unknown }) =>
      finding(check, { env: SERVERS, answers: { [url]: answer } })
    expect(await finding(check, { env: SERVERS })).toMatchObject({
      verdict: 'failed',
      found: expect.stringContaining('ECONNREFUSED'),
    })
    const lost = { error: { code: 'NOT_READY', message: 'This replica has lost the store.' } }
    expect(await ask({ status: 503, json: lost })).toMatchObject({
      verdict: 'failed',
      advice: expect.stringContaining('its store'),
    })
    expect(await ask({ status: 404, json: {} })).toMatchObject({
      found: expect.stringContaining('no server of Tributary'),
    })
    expect(await ask({ status: 503, json: { error: { code: 'NOT_LEADER' } } })).toMatchObject({ verdict: 'warning' })
  })

  it('whose clock is another are named with by how much', async () => {
    const check = 'clock of the config center'
    const at = (date: number | null) =>
      finding(check, { env: SERVERS, answers: { 'http://127.0.0.1:7400/readyz': { json: {}, date } } })
    expect(await at(NOW - 2_000)).toMatchObject({ verdict: 'ok' })
    expect(await at(NOW - 10_000)).toMatchObject({ verdict: 'warning', found: "10 s behind this machine's" })
    expect(await at(NOW + 120_000)).toMatchObject({ verdict: 'failed', found: "120 s ahead of this machine's" })
    expect(await at(null)).toMatchObject({ verdict: 'warning' })
  })

  it('that do not know the token say so', async () => {
    const self = {
      'http://127.0.0.1:7400/v1/tokens/self': { status: 401, json: { error: { message: 'It is unknown.' } } },
    }
    expect(await finding('token', { env: SERVERS, answers: { ...READY, ...self } })).toMatchObject({
      verdict: 'failed',
      found: 'It is unknown.',
    })
    const { TRIBUTARY_TOKEN: _, ...without } = SERVERS
    expect(await finding('token', { env: without, answers: READY })).toMatchObject({ verdict: 'warning' })
  })
})

describe('the configuration', () => {
  it('that is wrong is told with file and line', async () => {
    writeConfig('pollSecond: 3')
    expect(await finding('configuration')).toMatchObject({
      verdict: 'failed',
      found: expect.stringContaining('tributary.config.yaml:4'),
    })
  })

  it('that is right tells the platform', async () => {
    writeConfig('')
    expect((await finding('configuration'))?.found).toMatch(/1 repository, platform local$/)
  })
})

describe('a cluster', () => {
  const report = (
    allows: (question: string) => boolean,
    more: Partial<ClusterAccessReport> = {},
  ): ClusterAccessReport => ({
    server: 'https://10.0.0.1',
    version: 'v1.31.2',
    environmentNamespace: 'feature-x',
    mesh: null,
    permissions: ENV_MANAGER_PERMISSIONS.flatMap(({ scope, group, resource, verbs, onlyFor }) =>
      verbs.map((verb) => {
        const allowed = allows(`${scope} ${verb} ${resource}`)
        return { scope, group, resource, verb, allowed, onlyFor: onlyFor ?? null }
      }),
    ),
    ...more,
  })
  const onCluster = (review: () => Promise<ClusterAccessReport>): World => {
    writeConfig('platform: { kubernetes: {} }')
    return { instruments: { reviewAccess: () => review } }
  }

  it('with all permissions is found good', async () => {
    const all = await findings(onCluster(async () => report(() => true)))
    expect(all.filter(({ check }) => /^(cluster|permissions|helm)/.test(check))).toEqual([
      { check: 'helm', verdict: 'ok', found: '4.1.4' },
      { check: 'cluster', verdict: 'ok', found: 'https://10.0.0.1 answers, Kubernetes v1.31.2' },
      { check: 'permissions in the whole cluster', verdict: 'ok', found: expect.stringMatching(/^all \d+$/) },
      { check: 'permissions in environments (feature-x)', verdict: 'ok', found: expect.stringMatching(/^all \d+$/) },
      { check: 'permissions in the platform’s namespace', verdict: 'ok', found: expect.stringMatching(/^all \d+$/) },
    ])
  })

  it('is asked for the kinds of the mesh that is configured', async () => {
    const needed = ['HTTPRoute', 'ReferenceGrant']
    const meshOf = (missing: readonly string[]) =>
      finding(
        'mesh',
        onCluster(async () => report(() => true, { mesh: { kind: 'gamma', needed, missing } })),
      )
    expect(await meshOf([])).toEqual({
      check: 'mesh',
      verdict: 'ok',
      found: 'gamma: the cluster has HTTPRoute and ReferenceGrant',
    })
    expect(await meshOf(['ReferenceGrant'])).toMatchObject({
      verdict: 'failed',
      found: 'gamma: the cluster has no ReferenceGrant, so no header routes are made',
      advice: expect.stringContaining('platform.kubernetes.mesh'),
    })
    expect(
      await finding(
        'mesh',
        onCluster(async () => report(() => true)),
      ),
    ).toBeUndefined()
  })

  it('that lacks what is needed fails, and what is needed for something warns with what that is', async () => {
    const world = onCluster(async () =>
      report((question) => !/cluster create namespaces|environment \w+ statefulsets/.test(question)),
    )
    const all = await findings(world)
    expect(all.filter(({ verdict, check }) => check.startsWith('permissions') && verdict !== 'ok')).toEqual([
      {
        check: 'permissions in the whole cluster',
        verdict: 'failed',
        found: 'missing: create namespaces',
        advice: expect.stringContaining('docs/reference/permissions.md'),
      },
      {
        check: 'permissions in environments (feature-x)',
        verdict: 'warning',
        found: expect.stringMatching(/^missing: get statefulsets\.apps, .* and 1 more$/),
        advice: 'they are needed only for services whose own charts make such objects',
      },
    ])
    expect((await runDoctor(world)).status).toBe(1)
  })

  it('without an environment cannot be asked about the role that is given in each', async () => {
    const permissions = report(() => true).permissions.filter(({ scope }) => scope !== 'environment')
    const world = onCluster(async () => report(() => true, { permissions, environmentNamespace: null }))
    expect(await finding('permissions in environments', world)).toMatchObject({ verdict: 'skipped' })
  })

  it('that does not answer fails with the reason', async () => {
    const world = onCluster(() => Promise.reject(new Error('the API server does not answer (ECONNREFUSED)')))
    expect(await finding('cluster', world)).toMatchObject({
      verdict: 'failed',
      found: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('that is too old, and a machine without helm, are named', async () => {
    const run = async (name: string): Promise<string> => (name === 'git' ? 'git version 2.40.0' : 'v3.9.0')
    const world = onCluster(async () => report(() => true, { version: 'v1.19.3' }))
    const all = await findings({ instruments: { ...world.instruments, run } })
    expect(all).toContainEqual(expect.objectContaining({ check: 'cluster', verdict: 'warning' }))
    expect(all).toContainEqual(expect.objectContaining({ check: 'helm', verdict: 'failed', found: '3.9.0 is too old' }))
  })
})
