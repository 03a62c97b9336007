import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createHelmChartReleases, type ChartReleases } from '@tributary/env-manager'
import {
  describeWithCluster,
  eventually,
  kubeTools,
  repositoryRoot,
  testImage,
  testKubeconfig,
} from '@tributary/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { renderChart } from '../support/rendered-chart.js'

const NAMESPACE = 'helm-service-chart-test'
/**
 * Between two requests. Those of a client outside the cluster come to the pod from one address, and from a port that the node draws: with a thousand of them a
 * second one is soon drawn whose last connection the pod still remembers, and its packets are thrown away for seconds.
 */
const PAUSE_MS = 20
/** Tells what it may do. */
const PROGRAM = `
const fs = require('node:fs')
const writes = (path) => { try { fs.writeFileSync(path, 'x'); return true } catch (error) { return error.code } }
const read = (path) => { try { return fs.readFileSync(path, 'utf8') } catch (error) { return error.code } }
const server = require('node:http').createServer((request, response) => {
  if (request.url === '/readyz') return response.end('ready')
  response.end(JSON.stringify({
    user: process.getuid(), group: process.getgid(),
    writes: { '/x': writes('/x'), '/tmp/x': writes('/tmp/x'), '/app/cache/x': writes('/app/cache/x') },
    token: read(process.env.TRIBUTARY_TOKEN_FILE ?? '/none'),
    apiToken: read('/var/run/secrets/kubernetes.io/serviceaccount/token'),
    file: read('/etc/settings/greeting'),
    variables: process.env,
  }))
})
server.keepAliveTimeout = 1
server.listen(8080, '0.0.0.0')
process.on('SIGTERM', () => process.exit(0))
`

interface Told {
  readonly user: number
  readonly group: number
  readonly writes: Readonly<Record<string, unknown>>
  readonly token: string
  readonly apiToken: string
  readonly file: string
  readonly variables: Readonly<Record<string, string>>
}

describeWithCluster('charts/service on a real cluster', () => {
  let folder: string
  let charts: ChartReleases
  let image: { readonly repository: string; readonly tag: string; readonly pullPolicy: string }
  const context = { signal: new AbortController().signal }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-service-chart-'))
    const { helm } = await kubeTools()
    charts = createHelmChartReleases({
      home: folder,
      host: process.env,
      helm,
      cluster: { kubeconfig: testKubeconfig() },
    })
    const name = await testImage({
      name: 'tributary-service-chart',
      files: { 'server.cjs': PROGRAM },
      command: ['/app/server.cjs'],
    })
    const [repository = '', tag = ''] = name.split(':')
    image = { repository, tag, pullPolicy: 'Never' }
    await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found'])
    await kubectl(['create', 'namespace', NAMESPACE])
    await kubectl(['-n', NAMESPACE, 'create', 'configmap', 'settings', '--from-literal=greeting=hello'])
    await kubectl([
      '-n',
      NAMESPACE,
      'create',
      'secret',
      'generic',
      'orders-env',
      '--from-literal=PORT=8080',
      '--from-literal=SECRET=s3',
    ])
  })
  afterAll(async () => {
    await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found'])
    await rm(folder, { recursive: true, force: true })
  })

  async function kubectl(args: readonly string[], input = ''): Promise<string> {
    const { kubectl: program } = await kubeTools()
    const env = { KUBECONFIG: testKubeconfig(), HOME: tmpdir() }
    return new Promise((resolve, reject) => {
      const child = execFile(program, args, { env }, (error, stdout, stderr) =>
        error === null ? resolve(stdout.trim()) : reject(new Error(stderr)),
      )
      child.stdin?.end(input)
    })
  }

  async function apply(name: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    const release = { kubeNamespace: NAMESPACE, name, description: 'test', labels: {} }
    const chart = join(repositoryRoot, 'charts/service')
    await charts.apply({ ...release, chart, values: { image, ...values } }, context)
    await kubectl(['-n', NAMESPACE, 'rollout', 'status', `deployment/${name}`, '--timeout=60s'])
  }

  const addressOf = (name: string): Promise<string> =>
    kubectl(['-n', NAMESPACE, 'get', 'service', name, '--output=jsonpath={.spec.clusterIP}'])

  it('makes objects that the API server takes, with every switch on', async () => {
    const { serverVersion } = JSON.parse(await kubectl(['version', '--output=json']))
    const objects = await renderChart('service', {
      kubeVersion: serverVersion.gitVersion,
      values: {
        image,
        replicaCount: 3,
        health: { readiness: '/readyz', liveness: '/readyz' },
        env: { A: 'b' },
        envFromSecrets: ['a'],
        envFromConfigMaps: ['b'],
        mounts: [
          { configMap: 'settings', path: '/etc/settings' },
          { secret: 's', path: '/etc/s' },
        ],
        writablePaths: ['/app/cache'],
        identity: { enabled: true },
        ingress: { enabled: true, host: 'orders.example', tlsSecretName: 'tls' },
        verify: { enabled: true, command: ['true'] },
        nodeSelector: { a: 'b' },
        tolerations: [{ operator: 'Exists' }],
        imagePullSecrets: [{ name: 'r' }],
      },
    })
    const local = objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace: NAMESPACE } }))
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: local })
    const taken = await kubectl(
      ['apply', '--server-side', '--dry-run=server', '--validate=strict', '--output=name', '--filename=-'],
      list,
    )
    expect(taken.split('\n').sort()).toEqual([
      'deployment.apps/orders',
      'ingress.networking.k8s.io/orders',
      'job.batch/orders-verify',
      'poddisruptionbudget.policy/orders',
      'service/orders',
      'serviceaccount/orders',
    ])
  })

  it('runs a program that may read what it was given and write where it may', async () => {
    await apply('orders', {
      health: { readiness: '/readyz', liveness: '/readyz' },
      envFromSecrets: ['orders-env'],
      mounts: [{ configMap: 'settings', path: '/etc/settings' }],
      writablePaths: ['/app/cache'],
      identity: { enabled: true },
      drainSeconds: 0,
    })
    const told = await eventually(async () => JSON.parse(await get(await addressOf('orders'), '/')) as Told, {
      timeoutMs: 20_000,
      intervalMs: 100,
    })
    expect(told).toMatchObject({
      user: 10_001,
      group: 10_001,
      writes: { '/x': 'EROFS', '/tmp/x': true, '/app/cache/x': true },
      apiToken: 'ENOENT',
      file: 'hello',
      variables: { PORT: '8080', SECRET: 's3' },
    })
    expect(told.variables['TRIBUTARY_INSTANCE']).toMatch(/^orders-/)
    expect(Object.keys(told.variables).filter((name) => name.startsWith('ORDERS_'))).toEqual([])
    const claims = JSON.parse(Buffer.from(told.token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    expect(claims.aud).toEqual(['tributary'])
    expect(claims.sub).toBe(`system:serviceaccount:${NAMESPACE}:orders`)
    expect(claims.exp - claims.iat).toBe(3600)
  })

  it('refuses no request while a service is replaced', async () => {
    const values = { health: { readiness: '/readyz' }, drainSeconds: 5 }
    await apply('steady', { ...values, podAnnotations: { copy: '1' } })
    const address = await addressOf('steady')
    await eventually(() => get(address, '/readyz'), { timeoutMs: 20_000, intervalMs: 100 })
    const failures: string[] = []
    let served = 0
    const over = new AbortController()
    const asking = (async () => {
      while (!over.signal.aborted) {
        await get(address, '/readyz').then(
          () => (served += 1),
          (error: Error) => failures.push(error.message),
        )
        await delay(PAUSE_MS)
      }
    })()
    await apply('steady', { ...values, podAnnotations: { copy: '2' } })
    await eventually(async () => expect((await podsOf('steady')).length).toBe(1), {
      timeoutMs: 60_000,
      intervalMs: 200,
    })
    over.abort()
    await asking
    expect(failures).toEqual([])
    expect(served).toBeGreaterThan(100)
  })

  it('fails the release when its verify Job does', async () => {
    const verify = { enabled: true, command: ['/no-such-program'], timeoutSeconds: 5 }
    await expect(apply('unverified', { health: { readiness: '/readyz' }, verify })).rejects.toMatchObject({
      code: 'CHART_HOOK_FAILED',
      message: expect.stringContaining('unverified-verify'),
    })
  })

  it('verifies a service that answers', async () => {
    const script = "fetch('http://verified:8080/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
    const verify = { enabled: true, command: ['node', '-e', script], timeoutSeconds: 60 }
    await apply('verified', { health: { readiness: '/readyz' }, verify, drainSeconds: 0 })
    expect(
      await kubectl(['-n', NAMESPACE, 'get', 'jobs', '--selector=app.kubernetes.io/name=verified', '--output=name']),
    ).toBe('')
  })

  async function podsOf(name: string): Promise<string[]> {
    const names = await kubectl([
      '-n',
      NAMESPACE,
      'get',
      'pods',
      `--selector=app.kubernetes.io/name=${name}`,
      '--output=name',
    ])
    return names.split('\n').filter((line) => line !== '')
  }
})

function get(host: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port: 8080, path, agent: false, timeout: 2000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`status ${response.statusCode}`)),
      )
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer')))
    sent.once('error', reject).end()
  })
}
