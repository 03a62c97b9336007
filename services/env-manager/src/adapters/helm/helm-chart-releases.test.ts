import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { ChartRelease, ChartReleases } from '../../ports/chart-releases.js'
import { FakeHelm, type FakeAnswers } from './fake-helm.test-support.js'
import { createHelmChartReleases } from './helm-chart-releases.js'

const applied = (revision: number): string =>
  JSON.stringify({
    name: 'orders',
    version: revision,
    info: { status: 'deployed', description: 'run 1', last_deployed: '2026-11-21T11:51:21.711638651Z' },
    manifest: 'left out',
  })
const history = (...rows: readonly (readonly [revision: number, status: string])[]): string =>
  JSON.stringify(
    rows.map(([revision, status]) => ({
      revision,
      updated: '2026-11-21T11:51:21.711638651Z',
      status,
      chart: 'orders-0.0.0',
      app_version: '',
      description: `was ${status}`,
    })),
  )
const answer = (stdout: string): string => `return { stdout: ${JSON.stringify(stdout)} }`
const fail = (stderr: string): string => `return { status: 1, stderr: ${JSON.stringify(stderr)} }`
const PENDING = 'Error: UPGRADE FAILED: another operation (install/upgrade/rollback) is in progress\n'

describe('createHelmChartReleases', () => {
  let fake: FakeHelm
  let charts: ChartReleases
  let release: ChartRelease
  const context = { signal: new AbortController().signal }

  async function open(answers: FakeAnswers, version = 'v4.1.4'): Promise<void> {
    fake = await FakeHelm.create(version, { upgrade: answer(applied(1)), ...answers })
    const host = {
      PATH: '/nowhere',
      SECRET: 'of the manager',
      HTTPS_PROXY: 'http://proxy',
      AWS_PROFILE: 'dev',
      HOME: '/root',
    }
    charts = createHelmChartReleases({
      home: join(fake.folder, 'home'),
      host,
      helm: fake.path,
      cluster: { kubeconfig: '/etc/kubeconfig' },
    })
    const chart = join(fake.folder, 'chart')
    await mkdir(chart)
    await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: orders\nversion: 1.0.0\n')
    release = {
      kubeNamespace: 'feature-x',
      name: 'orders',
      chart,
      values: { greeting: '--not-a-flag', text: "it's $(a) `shell` word" },
      description: '--run 1, commit abc',
      labels: { 'tributary.dev/instance': 'i1', 'tributary.dev/service': 'orders' },
    }
  }
  afterEach(() => fake[Symbol.asyncDispose]())

  const argumentsOf = async (command: string): Promise<readonly string[]> =>
    (await fake.calls(command)).at(-1)?.args ?? []

  it('upgrades with helm 4 on the server, from a chart without templates of the service', async () => {
    await open({})
    expect(await charts.apply(release, context)).toEqual({
      helmRevision: 1,
      state: 'deployed',
      description: 'run 1',
      appliedAt: Date.UTC(2026, 10, 21, 11, 51, 21, 711),
    })
    const args = await argumentsOf('upgrade')
    expect(args).toEqual([
      'upgrade',
      '--install',
      '--namespace=feature-x',
      '--description=--run 1, commit abc',
      '--labels=tributary.dev/instance=i1,tributary.dev/service=orders',
      '--history-max=10',
      '--timeout=300s',
      '--reset-values',
      '--skip-crds',
      '--server-side=true',
      '--force-conflicts',
      '--output=json',
      '-f',
      '-',
      '--',
      'orders',
      expect.stringMatching(/home\/work\/chart-/),
    ])
    expect((await fake.calls('upgrade'))[0]?.input).toBe(JSON.stringify(release.values))
  })

  it('applies the platform’s own chart as it is, stamped by its values', async () => {
    await open({})
    const stamp = { labels: { 'tributary.dev/service': 'orders' }, podAnnotations: { 'tributary.dev/commit': 'abc' } }
    const values = { replicaCount: 2, labels: { team: 'a', 'tributary.dev/service': 'other' } }
    await charts.apply({ ...release, origin: 'platform', values, stamp }, context)
    expect(await fake.calls('template')).toEqual([])
    const [call] = await fake.calls('upgrade')
    expect(call?.args.slice(-2)).toEqual(['orders', release.chart])
    expect(call?.args).toContain('--disable-openapi-validation')
    expect(JSON.parse(call?.input ?? '')).toEqual({
      replicaCount: 2,
      labels: { team: 'a', 'tributary.dev/service': 'orders' },
      podLabels: { 'tributary.dev/service': 'orders' },
      podAnnotations: { 'tributary.dev/commit': 'abc' },
    })
  })

  it('applies nothing of a chart that claims a host of others', async () => {
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'web' } }
    const claiming = (host: string): string => JSON.stringify({ ...ingress, spec: { rules: [{ host }] } })
    await open({ template: answer(claiming('console.example.com')) })
    const hosts = { own: 'feature-x.preview.example.com', allowed: [], reserved: ['console.example.com'] }
    await expect(charts.apply({ ...release, hosts }, context)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: expect.stringContaining('Ingress "web" claims "console.example.com", where people sign in to Tributary'),
    })
    expect(await fake.calls('upgrade')).toEqual([])
    await fake[Symbol.asyncDispose]()
    await open({ template: answer(claiming('feature-x.preview.example.com')) })
    await charts.apply({ ...release, hosts }, context)
    expect(await fake.calls('upgrade')).toHaveLength(1)
  })

  it('upgrades with helm 3 without what it does not know', async () => {
    await open({}, 'v3.18.4')
    await charts.apply(release, context)
    const args = await argumentsOf('upgrade')
    expect(args.filter((word) => /server-side|force-conflicts/.test(word))).toEqual([])
    expect(args).toContain('--reset-values')
  })

  it('lists all states with helm 3, which leaves some out by itself', async () => {
    const rows = [
      {
        name: 'a',
        namespace: 'feature-x',
        revision: '7',
        updated: '2026-11-21T11:51:21.711Z',
        status: 'pending-upgrade',
      },
      { name: 'b', namespace: 'feature-x', revision: '1', updated: 'gibberish', status: 'who-knows' },
    ]
    await open({ list: answer(JSON.stringify(rows)) }, 'v3.18.4')
    expect(await charts.list('feature-x', context)).toEqual([
      {
        kubeNamespace: 'feature-x',
        name: 'a',
        helmRevision: 7,
        state: 'pending',
        appliedAt: Date.UTC(2026, 10, 21, 11, 51, 21, 711),
      },
      { kubeNamespace: 'feature-x', name: 'b', helmRevision: 1, state: 'unknown', appliedAt: 0 },
    ])
    expect(await argumentsOf('list')).toEqual([
      'list',
      '--all',
      '--namespace=feature-x',
      '--max=0',
      '--time-format=2006-01-02T15:04:05.000Z07:00',
      '--output=json',
    ])
  })

  it('renders for the cluster, but where neither it nor the manager’s variables can be reached', async () => {
    await open({})
    expect(await charts.render(release, context)).toContain('"namespace": "feature-x"')
    const [call] = await fake.calls('template')
    expect(call?.args).toEqual([
      'template',
      '--namespace=feature-x',
      '--kube-version=v1.28.3',
      '--api-versions=v1',
      '--api-versions=apps/v1',
      '--skip-crds',
      '--skip-tests',
      '-f',
      '-',
      '--',
      'orders',
      release.chart,
    ])
    expect(call?.environment).toMatchObject({ KUBECONFIG: devNull, HELM_NO_PLUGINS: '1', HTTPS_PROXY: 'http://proxy' })
    for (const name of ['SECRET', 'AWS_PROFILE']) expect(call?.environment).not.toHaveProperty(name)
    expect(call?.environment['HOME']).toBe(join(fake.folder, 'home/helm'))
  })

  it('gives credential programs of a kubeconfig what they read, and nothing more', async () => {
    await open({ history: answer(history()) })
    await charts.history(release, context)
    const [call] = await fake.calls('history')
    expect(call?.environment).toMatchObject({ KUBECONFIG: '/etc/kubeconfig', AWS_PROFILE: 'dev', HOME: '/root' })
    expect(call?.environment).not.toHaveProperty('SECRET')
    expect(call?.environment['HELM_CACHE_HOME']).toBe(join(fake.folder, 'home/helm/cache'))
  })

  it('asks the cluster for its kinds once, not for every chart', async () => {
    await open({})
    await charts.render(release, context)
    await charts.render(release, context)
    expect(await fake.calls('install')).toHaveLength(1)
    expect(await argumentsOf('install')).toContain('--dry-run=server')
  })

  it('takes a chart of a registry with its version', async () => {
    await open({})
    await charts.render({ ...release, chart: 'oci://registry.example/team/orders', version: '1.2.3' }, context)
    expect((await argumentsOf('template')).slice(-6)).toEqual([
      '--version=1.2.3',
      '-f',
      '-',
      '--',
      'orders',
      'oci://registry.example/team/orders',
    ])
  })

  it('speaks without TLS to the registries that are named, and to no others', async () => {
    await open({})
    const plain = createHelmChartReleases({
      home: join(fake.folder, 'plain'),
      host: {},
      helm: fake.path,
      cluster: 'in-cluster',
      plainHttpRegistries: ['localhost:5000'],
    })
    const flags: boolean[] = []
    for (const host of ['localhost:5000', 'localhost:50000', 'registry.example']) {
      await plain.render({ ...release, chart: `oci://${host}/orders`, version: '1.0.0' }, context)
      flags.push((await argumentsOf('template')).includes('--plain-http'))
    }
    expect(flags).toEqual([true, false, false])
  })

  it('marks every object when it is told to', async () => {
    await open({})
    const stamp = { labels: { 'tributary.dev/service': 'orders' }, podAnnotations: {} }
    expect(await charts.render({ ...release, stamp }, context)).toContain('"tributary.dev/service": "orders"')
  })

  it('leaves no file behind', async () => {
    await open({ upgrade: fail('Error: no luck') })
    await expect(charts.apply(release, context)).rejects.toMatchObject({ code: 'HELM_FAILED' })
    expect(await readdir(join(fake.folder, 'home/work'))).toEqual(['cluster-facts'])
  })

  it('says which object a chart must not make', async () => {
    await open({ template: answer('apiVersion: v1\nkind: Namespace\nmetadata: { name: x }\n') })
    await expect(charts.apply(release, context)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message:
        'could not render the chart of release orders: Namespace "x" (v1) is not a kind that a service may make: it is not of its namespace alone',
    })
    expect(await fake.calls('upgrade')).toEqual([])
  })

  it('takes what a template complains of for a fault of the chart', async () => {
    await open({ template: fail('Error: something that no version of helm has said yet\n') })
    await expect(charts.render(release, context)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: 'could not render the chart of release orders: something that no version of helm has said yet',
    })
  })

  it('stops a chart that makes more than any cluster keeps', async () => {
    await open({ template: `return { stdout: 'x'.repeat(33 * 1024 * 1024) }` })
    await expect(charts.render(release, context)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: expect.stringContaining('it makes more than 32 MiB of objects'),
    })
  })

  it('goes back to the last whole revision when a killed client left an upgrade half done', async () => {
    await open({
      upgrade: `if (n === 0) ${fail(PENDING)}\n${answer(applied(4))}`,
      history: answer(history([1, 'superseded'], [2, 'deployed'], [3, 'pending-upgrade'])),
      rollback: answer('Rollback was a success!'),
    })
    expect(await charts.apply(release, context)).toMatchObject({ helmRevision: 4 })
    expect(await argumentsOf('rollback')).toEqual([
      'rollback',
      '--namespace=feature-x',
      '--history-max=10',
      '--timeout=300s',
      '--server-side=true',
      '--force-conflicts',
      '--',
      'orders',
      '2',
    ])
  })

  it('rolls back to one that was superseded when none is marked as deployed', async () => {
    await open({
      upgrade: `if (n === 0) ${fail(PENDING)}\n${answer(applied(4))}`,
      history: answer(history([1, 'superseded'], [2, 'failed'], [3, 'pending-rollback'])),
      rollback: '',
    })
    await charts.apply(release, context)
    expect((await argumentsOf('rollback')).at(-1)).toBe('1')
  })

  it.each([
    ['a first install', [[1, 'pending-install']]],
    [
      'an uninstall',
      [
        [1, 'superseded'],
        [2, 'uninstalling'],
      ],
    ],
    [
      'an upgrade of what never worked',
      [
        [1, 'failed'],
        [2, 'pending-upgrade'],
      ],
    ],
  ] as const)('starts anew when a killed client left %s half done', async (_what, rows) => {
    await open({
      upgrade: `if (n === 0) ${fail(PENDING)}\n${answer(applied(1))}`,
      history: answer(history(...rows)),
      uninstall: '',
    })
    expect(await charts.apply(release, context)).toMatchObject({ helmRevision: 1 })
    expect(await argumentsOf('uninstall')).toEqual([
      'uninstall',
      '--namespace=feature-x',
      '--ignore-not-found',
      '--timeout=300s',
      '--',
      'orders',
    ])
    expect(await fake.calls('rollback')).toEqual([])
  })

  it('recovers once and then tells what fails', async () => {
    await open({ upgrade: fail(PENDING), history: answer(history([1, 'pending-install'])), uninstall: '' })
    await expect(charts.apply(release, context)).rejects.toMatchObject({ code: 'HELM_FAILED' })
    expect(await fake.calls('upgrade')).toHaveLength(2)
  })

  it('rolls back to a revision that is there', async () => {
    await open({
      history: `if (n === 1) ${answer(history([3, 'deployed']))}\n${answer(history([1, 'superseded'], [2, 'deployed']))}`,
      rollback: '',
    })
    expect(await charts.rollback({ ...release, helmRevision: 1 }, context)).toEqual({
      helmRevision: 3,
      state: 'deployed',
      description: 'was deployed',
      appliedAt: Date.UTC(2026, 10, 21, 11, 51, 21, 711),
    })
  })

  it('does not roll back to a revision that is not there', async () => {
    await open({ history: answer(history([1, 'superseded'], [2, 'deployed'])) })
    await expect(charts.rollback({ ...release, helmRevision: 9 }, context)).rejects.toMatchObject({
      code: 'CHART_REVISION_NOT_FOUND',
      message: 'could not roll release orders in feature-x back to revision 9: helm has 2, 1',
    })
  })

  it('has no history of a release that is not there', async () => {
    await open({ history: fail('Error: release: not found\n') })
    expect(await charts.history(release, context)).toEqual([])
    await expect(charts.rollback({ ...release, helmRevision: 1 }, context)).rejects.toMatchObject({
      code: 'CHART_REVISION_NOT_FOUND',
      message: expect.stringContaining('there is no such release'),
    })
  })

  it('tells a cluster that cannot be reached from a release that is not there', async () => {
    await open({
      history: fail('Error: kubernetes cluster unreachable: Get "https://a/version": dial tcp: connection refused\n'),
    })
    await expect(charts.history(release, context)).rejects.toMatchObject({ code: 'HELM_UNAVAILABLE', retryable: true })
  })

  it('does one thing after the other with a release', async () => {
    const lock = `const lock = __filename + '.lock'`
    const overlap = `if (existsSync(lock)) ${fail('Error: two at a time')}`
    const work = `writeFileSync(lock, ''); ${wait(30)}; rmSync(lock)`
    await open({ upgrade: `${lock}; ${overlap}; ${work}; ${answer(applied(1))}` })
    await Promise.all(Array.from({ length: 3 }, () => charts.apply(release, context)))
    expect(await fake.calls('upgrade')).toHaveLength(3)
  })

  it('does several things at once with several releases', async () => {
    await open({ upgrade: `while (count('upgrade') < 2) { ${wait(5)} }; ${answer(applied(1))}` })
    await Promise.all([charts.apply(release, context), charts.apply({ ...release, name: 'payments' }, context)])
    expect(await fake.calls('upgrade')).toHaveLength(2)
  })

  it('stops helm when its result is no longer wanted', async () => {
    await open({ upgrade: wait(60_000) })
    const controller = new AbortController()
    const applying = charts.apply(release, { signal: controller.signal, log: () => undefined })
    const stopped = expect(applying).rejects.toMatchObject({ code: 'HELM_CANCELED' })
    const started = async (): Promise<void> => {
      while ((await fake.calls('upgrade')).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await started()
    controller.abort()
    await stopped
  })

  it('does not start helm when its result is not wanted from the first', async () => {
    await open({})
    await expect(charts.history(release, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'HELM_CANCELED',
    })
    expect(await fake.calls('history')).toEqual([])
  })

  it('says when helm is not there, and looks again the next time', async () => {
    await open({ history: answer(history()) })
    const elsewhere = createHelmChartReleases({
      home: join(fake.folder, 'other'),
      host: {},
      helm: join(fake.folder, 'helm-link'),
      cluster: 'in-cluster',
    })
    await expect(elsewhere.history(release, context)).rejects.toMatchObject({ code: 'HELM_NOT_INSTALLED' })
    await symlink(fake.path, join(fake.folder, 'helm-link'))
    expect(await elsewhere.history(release, context)).toEqual([])
  })

  it.each(['v3.12.0', 'v2.17.0', 'podman 5'])('refuses a helm that says it is %s', async (version) => {
    await open({}, version)
    await expect(charts.history(release, context)).rejects.toMatchObject({
      code: 'HELM_NOT_INSTALLED',
      message: expect.stringContaining('install helm 4, or 3.15 or newer'),
    })
  })

  it('does not take an answer that makes no sense for one', async () => {
    await open({ history: answer('[{"revision":"x"}]'), upgrade: answer('Release "orders" has been upgraded') })
    await expect(charts.history(release, context)).rejects.toMatchObject({ code: 'HELM_FAILED' })
    await expect(charts.apply(release, context)).rejects.toMatchObject({ code: 'HELM_FAILED' })
  })

  it.each([
    ['a name that is a flag', { name: '--kubeconfig=/etc/passwd' }],
    ['a name that is too long', { name: 'a'.repeat(54) }],
    ['a namespace that is a flag', { kubeNamespace: '-A' }],
    ['a label with a comma', { labels: { a: 'b,name=c' } }],
    ['a label of helm’s own', { labels: { owner: 'me' } }],
    ['a description of two lines', { description: 'a\nb' }],
    ['a chart of a web site', { chart: 'https://a/b.tgz' }],
    ['a chart of a repository of helm', { chart: 'stable/orders' }],
    ['a registry with a user', { chart: 'oci://user@registry/orders', version: '1.0.0' }],
    ['a chart of a registry without a version', { chart: 'oci://registry/orders' }],
    ['a version that is a flag', { chart: 'oci://registry/orders', version: '--repo=x' }],
    ['a folder with a version', { version: '1.0.0' }],
  ])('refuses %s before it starts anything', async (_what, more) => {
    await open({})
    await expect(charts.apply({ ...release, ...more }, context)).rejects.toMatchObject({ code: 'CHART_INVALID' })
    expect(await fake.calls()).toEqual([])
  })
})

/** Source that waits without ending, and can be interrupted. */
function wait(ms: number): string {
  return `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms})`
}
