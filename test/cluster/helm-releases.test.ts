import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  chartValuesOf,
  createHelmChartReleases,
  type ChartRelease,
  type ChartReleases,
  type HelmOptions,
} from '@tributary/env-manager'
import { describeWithCluster, ensureBuilt, eventually, kubeTools, testKubeconfig } from '@tributary/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { ChartRegistry } from '../support/chart-registry.js'

const run = promisify(execFile)
const NAMESPACE = 'helm-releases-test'
const CONFIG_MAP =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .Release.Name }} }\ndata: {{ toJson .Values }}\n'
/** Its image can never start, so helm waits for it until it is stopped. */
const ENDLESS_HOOK = `---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations: { helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: before-hook-creation }
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{ name: hook, image: "none:1", imagePullPolicy: Never }]
`

describeWithCluster('helm releases on a real API server', () => {
  let folder: string
  let home: string
  let charts: ChartReleases
  const context = { signal: new AbortController().signal }

  beforeAll(async () => {
    await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found')
    await kubectl('create', 'namespace', NAMESPACE)
  })
  afterAll(async () => {
    await kubectl('delete', 'namespace', NAMESPACE, '--ignore-not-found')
  })
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-helm-'))
    home = join(folder, 'home')
    charts = await open()
  })
  afterEach(async () => {
    for (const { name } of await charts.list(NAMESPACE, context))
      await charts.uninstall({ kubeNamespace: NAMESPACE, name }, context)
    await kubectl('-n', NAMESPACE, 'delete', 'jobs', '--all')
    await rm(folder, { recursive: true, force: true })
  })

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { kubectl: program } = await kubeTools()
    const { stdout } = await run(program, args, { env: { KUBECONFIG: testKubeconfig(), HOME: tmpdir() } })
    return stdout.trim()
  }

  async function open(more: Partial<HelmOptions> = {}): Promise<ChartReleases> {
    const { helm } = await kubeTools()
    return createHelmChartReleases({
      home,
      host: process.env,
      helm,
      cluster: { kubeconfig: testKubeconfig() },
      ...more,
    })
  }

  async function chartOf(name: string, templates: Readonly<Record<string, string>>): Promise<string> {
    const chart = join(folder, name)
    await mkdir(join(chart, 'templates'), { recursive: true })
    await writeFile(join(chart, 'Chart.yaml'), `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`)
    for (const [file, text] of Object.entries(templates)) await writeFile(join(chart, 'templates', file), text)
    return chart
  }

  async function releaseOf(name: string, template: string, values = {}): Promise<ChartRelease> {
    const labels = { 'tributary.dev/instance': 'helm-test' }
    const chart = await chartOf(name, { 'objects.yaml': template })
    return { kubeNamespace: NAMESPACE, name, chart, values, description: `run of ${name}`, labels }
  }

  const dataOf = async (name: string): Promise<unknown> =>
    JSON.parse(await kubectl('-n', NAMESPACE, 'get', 'configmap', name, '--output=jsonpath={.data}'))
  const statesOf = async (name: string): Promise<string[]> =>
    (await charts.history({ kubeNamespace: NAMESPACE, name }, context)).map(({ state }) => state)

  /** Helm commands that run from this test's folder. */
  async function helmProcesses(): Promise<number[]> {
    const found = (await readdir('/proc'))
      .filter((entry) => /^\d+$/.test(entry))
      .map(async (pid) => {
        const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
        return environment.includes(`HELM_CACHE_HOME=${home}/`) ? [Number(pid)] : []
      })
    return (await Promise.all(found)).flat()
  }

  /** Once helm waits for the hook of the release: in the middle of its work. */
  async function untilHookRuns(name: string): Promise<number> {
    await eventually(() => kubectl('-n', NAMESPACE, 'get', 'job', `${name}-hook`), {
      timeoutMs: 20_000,
      intervalMs: 50,
    })
    const [pid] = await helmProcesses()
    if (pid === undefined) throw new Error('helm does not run')
    return pid
  }

  async function killInTheMiddle(release: ChartRelease): Promise<void> {
    const applying = charts.apply(release, context).then(
      () => 'done',
      () => 'failed',
    )
    process.kill(await untilHookRuns(release.name), 'SIGKILL')
    expect(await applying).toBe('failed')
  }

  it('installs, upgrades, rolls back and uninstalls, and leaves nothing', async () => {
    const release = await releaseOf('whole', CONFIG_MAP, { a: '1' })
    expect(await charts.apply(release, context)).toMatchObject({ helmRevision: 1, state: 'deployed' })
    const upgraded = await charts.apply({ ...release, values: { b: '2' }, description: 'second' }, context)
    expect(upgraded).toMatchObject({ helmRevision: 2, state: 'deployed', description: 'second' })
    expect(Math.abs(Date.now() - upgraded.appliedAt)).toBeLessThan(60_000)
    // Values of the first are not kept: what is not declared any more is gone.
    expect(await dataOf('whole')).toEqual({ b: '2' })
    expect(await charts.rollback({ ...release, helmRevision: 1 }, context)).toMatchObject({ helmRevision: 3 })
    expect(await dataOf('whole')).toEqual({ a: '1' })
    expect(await statesOf('whole')).toEqual(['deployed', 'superseded', 'superseded'])
    expect(await charts.list(NAMESPACE, context)).toMatchObject([{ name: 'whole', helmRevision: 3, state: 'deployed' }])
    const secrets = await kubectl(
      '-n',
      NAMESPACE,
      'get',
      'secrets',
      '--selector=tributary.dev/instance=helm-test,owner=helm',
      '--output=name',
    )
    expect(secrets.split('\n')).toHaveLength(3)
    await charts.uninstall(release, context)
    await charts.uninstall(release, context)
    expect(await charts.list(NAMESPACE, context)).toEqual([])
    expect(await charts.history(release, context)).toEqual([])
    expect(
      await kubectl(
        '-n',
        NAMESPACE,
        'get',
        'configmap,secret',
        '--field-selector=metadata.name=whole',
        '--output=name',
      ),
    ).toBe('')
  })

  it('goes on after helm was killed in the middle of an upgrade', async () => {
    const release = await releaseOf('killed', CONFIG_MAP, { a: '1' })
    await charts.apply(release, context)
    const half = { ...(await releaseOf('killed', CONFIG_MAP + ENDLESS_HOOK)), values: { a: '2' } }
    await killInTheMiddle(half)
    expect(await statesOf('killed')).toEqual(['pending', 'deployed'])
    const next = { ...(await releaseOf('killed', CONFIG_MAP)), values: { a: '3' } }
    expect(await charts.apply(next, context)).toMatchObject({ state: 'deployed' })
    expect(await dataOf('killed')).toEqual({ a: '3' })
  })

  it('rolls back after helm was killed in the middle of an upgrade', async () => {
    const release = await releaseOf('back', CONFIG_MAP, { a: '1' })
    await charts.apply(release, context)
    await killInTheMiddle({ ...(await releaseOf('back', CONFIG_MAP + ENDLESS_HOOK)), values: { a: '2' } })
    expect(await charts.rollback({ ...release, helmRevision: 1 }, context)).toMatchObject({ state: 'deployed' })
    expect(await dataOf('back')).toEqual({ a: '1' })
    await charts.apply({ ...(await releaseOf('back', CONFIG_MAP)), values: { a: '4' } }, context)
    expect(await dataOf('back')).toEqual({ a: '4' })
  })

  it('starts anew after helm was killed in the middle of a first install', async () => {
    await killInTheMiddle(await releaseOf('first', CONFIG_MAP + ENDLESS_HOOK, { a: '1' }))
    expect(await statesOf('first')).toEqual(['pending'])
    expect(await charts.apply(await releaseOf('first', CONFIG_MAP, { a: '2' }), context)).toMatchObject({
      state: 'deployed',
    })
    expect(await dataOf('first')).toEqual({ a: '2' })
  })

  it('uninstalls what helm was killed in the middle of', async () => {
    await killInTheMiddle(await releaseOf('gone', CONFIG_MAP + ENDLESS_HOOK))
    await charts.uninstall({ kubeNamespace: NAMESPACE, name: 'gone' }, context)
    expect(await charts.list(NAMESPACE, context)).toEqual([])
  })

  it('leaves a known state when an upgrade is no longer wanted', async () => {
    await charts.apply(await releaseOf('aborted', CONFIG_MAP, { a: '1' }), context)
    const controller = new AbortController()
    const half = await releaseOf('aborted', CONFIG_MAP + ENDLESS_HOOK, { a: '2' })
    const applying = expect(charts.apply(half, { signal: controller.signal })).rejects.toMatchObject({
      code: 'HELM_CANCELED',
    })
    await untilHookRuns('aborted')
    controller.abort()
    await applying
    expect(await helmProcesses()).toEqual([])
    expect(await statesOf('aborted')).toEqual(['failed', 'deployed'])
    expect(await charts.apply(await releaseOf('aborted', CONFIG_MAP, { a: '3' }), context)).toMatchObject({
      helmRevision: 3,
    })
    expect(await dataOf('aborted')).toEqual({ a: '3' })
  })

  it('says that a hook failed when it takes too long', async () => {
    charts = await open({ timeoutSeconds: 1 })
    await expect(charts.apply(await releaseOf('slow', ENDLESS_HOOK), context)).rejects.toMatchObject({
      code: 'CHART_HOOK_FAILED',
      message: expect.stringContaining('slow-hook'),
    })
  })

  it('ends the helm of a manager that was killed, and recovers its release', async () => {
    await ensureBuilt('services/env-manager')
    await charts.apply(await releaseOf('orphan', CONFIG_MAP, { a: '1' }), context)
    const half = await releaseOf('orphan', CONFIG_MAP + ENDLESS_HOOK, { a: '2' })
    const { helm } = await kubeTools()
    const program = join(import.meta.dirname, '../support/helm-manager.mjs')
    const manager = spawn(process.execPath, [program], {
      stdio: 'inherit',
      env: { ...process.env, HELM_TEST: JSON.stringify({ home, helm, kubeconfig: testKubeconfig(), release: half }) },
    })
    await untilHookRuns('orphan')
    const dead = once(manager, 'exit')
    manager.kill('SIGKILL')
    await dead
    expect(await helmProcesses()).toHaveLength(1)
    const successor = await open()
    const next = await releaseOf('orphan', CONFIG_MAP, { a: '3' })
    expect(await successor.apply(next, context)).toMatchObject({ state: 'deployed' })
    expect(await helmProcesses()).toEqual([])
    expect(await dataOf('orphan')).toEqual({ a: '3' })
  })

  it('takes back what others have changed by hand, with kubectl and by server-side apply', async () => {
    const release = await releaseOf('owned', CONFIG_MAP, { a: '1', b: '1' })
    await charts.apply(release, context)
    await kubectl('-n', NAMESPACE, 'patch', 'configmap', 'owned', '--type=merge', '--patch={"data":{"a":"by hand"}}')
    const rival = join(folder, 'rival.yaml')
    await writeFile(rival, 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: owned }\ndata: { b: by another }\n')
    await kubectl(
      '-n',
      NAMESPACE,
      'apply',
      '--server-side',
      '--force-conflicts',
      '--field-manager=rival',
      `--filename=${rival}`,
    )
    await charts.apply(release, context)
    expect(await dataOf('owned')).toEqual({ a: '1', b: '1' })
  })

  it.each([
    [
      'a wrong object',
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: { selector: { matchLabels: { a: b } }, template: { metadata: { labels: { a: c } }, spec: { containers: [{ name: x, image: x }] } } }',
      'CHART_REJECTED',
      'Deployment.apps "d" is invalid: spec.template.metadata.labels',
    ],
    [
      'a field that there is not',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: d }\ndta: {}',
      'CHART_INVALID',
      'unknown field "dta"',
    ],
    [
      'a kind that there is not',
      'apiVersion: example.com/v1\nkind: Foo\nmetadata: { name: d }',
      'CHART_INVALID',
      'no matches for kind "Foo"',
    ],
    [
      'another’s object',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: foreign }',
      'CHART_REJECTED',
      'ConfigMap "foreign" in namespace',
    ],
    [
      'an object of another namespace',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: d, namespace: default }',
      'CHART_INVALID',
      'is for namespace "default"',
    ],
    [
      'one Service too many',
      'apiVersion: v1\nkind: Service\nmetadata: { name: d }\nspec: { ports: [{ port: 80, protocol: TCP }] }',
      'CHART_REJECTED',
      'exceeded quota: no-services',
    ],
    ['a template that does not end well', '{{ fail "no luck" }}', 'CHART_INVALID', 'no luck'],
  ])('says why %s is refused', async (_what, template, code, message) => {
    await kubectl('-n', NAMESPACE, 'create', 'configmap', 'foreign')
    await kubectl('-n', NAMESPACE, 'create', 'quota', 'no-services', '--hard=services=0')
    // The controller has to have counted what is there before the bound holds.
    await eventually(async () =>
      expect(
        await kubectl('-n', NAMESPACE, 'get', 'quota', 'no-services', '--output=jsonpath={.status.used}'),
      ).not.toBe(''),
    )
    try {
      await expect(charts.apply(await releaseOf('refused', template), context)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
    } finally {
      await kubectl('-n', NAMESPACE, 'delete', 'configmap/foreign', 'quota/no-services')
    }
  })

  it('goes on after a first install that was refused', async () => {
    const bad = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: d }\nspec: {}'
    await expect(charts.apply(await releaseOf('mended', bad), context)).rejects.toMatchObject({ code: /CHART_/ })
    expect(await charts.apply(await releaseOf('mended', CONFIG_MAP, { a: '1' }), context)).toMatchObject({
      state: 'deployed',
    })
  })

  it('does not let a template read the cluster or the manager’s variables', async () => {
    const spy =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: spy }\ndata: { seen: {{ lookup "v1" "Namespace" "" "default" | toJson | quote }}, host: {{ getHostByName "localhost" | quote }} }'
    await charts.apply(await releaseOf('spy', spy), context)
    expect(await dataOf('spy')).toEqual({ seen: '{}', host: '' })
  })

  it('lets templates know what the cluster serves', async () => {
    const told =
      'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: told }\ndata: { version: {{ .Capabilities.KubeVersion.Version | quote }} }'
    await charts.apply(await releaseOf('told', told), context)
    const { serverVersion } = JSON.parse(await kubectl('version', '--output=json'))
    expect(await dataOf('told')).toEqual({ version: serverVersion.gitVersion })
  })

  it('tells credentials and permissions that are missing from a chart that is wrong', async () => {
    const release = await releaseOf('denied', CONFIG_MAP)
    const kubeconfig = async (user: object): Promise<string> => {
      const config = JSON.parse(await kubectl('config', 'view', '--raw', '--output=json'))
      const path = join(folder, `kubeconfig-${Object.keys(user).join('-')}`)
      await writeFile(path, JSON.stringify({ ...config, users: config.users.map((one: object) => ({ ...one, user })) }))
      return path
    }
    const stranger = await open({
      home: join(folder, 'stranger'),
      cluster: { kubeconfig: await kubeconfig({ token: 'expired' }) },
    })
    await expect(stranger.apply(release, context)).rejects.toMatchObject({
      code: 'HELM_FORBIDDEN',
      retryable: true,
      message: expect.stringContaining('renew the credentials'),
    })
    const token = await kubectl('-n', NAMESPACE, 'create', 'token', 'default')
    const powerless = await open({
      home: join(folder, 'powerless'),
      cluster: { kubeconfig: await kubeconfig({ token, username: undefined }) },
    })
    await expect(powerless.apply(release, context)).rejects.toMatchObject({
      code: 'HELM_FORBIDDEN',
      message: expect.stringContaining('give the manager’s account this permission'),
    })
  })

  it('says when the cluster is not there', async () => {
    const path = join(folder, 'nowhere')
    const cluster = { name: 'a', cluster: { server: 'https://127.0.0.1:1' } }
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      contexts: [{ name: 'a', context: { cluster: 'a' } }],
    }
    await writeFile(path, JSON.stringify({ ...config, 'current-context': 'a' }))
    const lost = await open({ home: join(folder, 'lost'), cluster: { kubeconfig: path, kubeContext: 'a' } })
    await expect(lost.history({ kubeNamespace: NAMESPACE, name: 'x' }, context)).rejects.toMatchObject({
      code: 'HELM_UNAVAILABLE',
    })
  })

  it('installs a chart of a registry', async () => {
    const { helm } = await kubeTools()
    const chart = await chartOf('packed', { 'objects.yaml': CONFIG_MAP })
    await run(helm, ['package', '--destination', folder, chart])
    await using registry = await ChartRegistry.start({
      'team/packed': { '1.0.0': await readFile(join(folder, 'packed-1.0.0.tgz')) },
    })
    charts = await open({ plainHttpRegistries: [registry.host] })
    const release = {
      ...(await releaseOf('packed', '')),
      chart: `oci://${registry.host}/team/packed`,
      version: '1.0.0',
    }
    await charts.apply({ ...release, values: { a: 'from afar' } }, context)
    expect(await dataOf('packed')).toEqual({ a: 'from afar' })
    await expect(charts.apply({ ...release, version: '6.6.6' }, context)).rejects.toMatchObject({
      code: 'CHART_INVALID',
    })
  })

  it('takes a chart of `helm create` as it is', async () => {
    const { helm } = await kubeTools()
    await run(helm, ['create', join(folder, 'ordinary')], { env: { HOME: folder } })
    const labels = { 'tributary.dev/service': 'ordinary' }
    const podAnnotations = { 'tributary.dev/workload-id': 'w1' }
    const definition = {
      apiVersion: 'tributary/v1' as const,
      kind: 'Service' as const,
      name: 'ordinary',
      chart: 'ordinary',
      run: { image: 'registry.example/ordinary:{version}' },
    }
    const subject = { environment: NAMESPACE, service: 'ordinary', version: 'v1.0-1-abc', commitSha: 'abc', definition }
    const values = chartValuesOf(subject, {
      labels,
      podAnnotations,
      secretNames: ['ordinary-env'],
      imagePullSecrets: [],
      imagePullPolicy: 'Never',
      hasIdentity: false,
    })
    const release = { ...(await releaseOf('ordinary', '')), values, stamp: { labels, podAnnotations } }
    await rm(join(folder, 'ordinary/templates/objects.yaml'))
    await charts.apply({ ...release, chartRoot: folder }, context)
    const deployment = JSON.parse(await kubectl('-n', NAMESPACE, 'get', 'deployment', 'ordinary', '--output=json'))
    expect(deployment.metadata.labels).toMatchObject(labels)
    expect(deployment.spec.template.metadata).toMatchObject({ labels, annotations: podAnnotations })
    expect(deployment.spec.template.spec.containers[0]).toMatchObject({
      image: 'registry.example/ordinary:v1.0-1-abc',
      imagePullPolicy: 'Never',
    })
  })

  it('installs twelve releases at once', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`)
    const releases = await Promise.all(names.map((name) => releaseOf(name, CONFIG_MAP, { a: name })))
    const revisions = await Promise.all(releases.map((release) => charts.apply(release, context)))
    expect(revisions.map(({ state }) => state)).toEqual(names.map(() => 'deployed'))
    expect(await charts.list(NAMESPACE, context)).toHaveLength(12)
  })
})
