import { mkdir } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '@tributary/contract'
import { describeWithCluster, eventually } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { isGone } from '../support/platform.js'
import { waitFor } from '../support/wait-for.js'
import { InstalledPlatform } from './support/installed-platform.js'
import { makePlatformImage } from './support/platform-image.js'
import { buildImages } from './support/shop-images.js'

const INSTANCE = 'install'
const FEATURE = 'feature-install'
/** Of the namespaces of this installation, so that others may use the cluster at the same time. */
const PREFIX = 'install-'
const FEATURE_NAMESPACE = `${PREFIX}${FEATURE}`
const ACCOUNT = `system:serviceaccount:${INSTANCE}-system:tributary-env-manager`
/** Between the requests of one client while the platform is upgraded. */
const PACE_MS = 20
const SERVICES = { hello: 'hello', stock: 'stock' }

/** Chart values of the services: no image can be pulled, and nobody needs a long farewell. */
const SERVICE_VALUES = {
  image: { pullPolicy: 'Never' },
  terminationGracePeriodSeconds: 2,
  drainSeconds: 1,
  runAsUser: 1000,
  runAsGroup: 1000,
  resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '256Mi' } },
}

/** A service that tells who it is by the SDK: its config, its state, and whether somebody gave it a token. */
function service(name: string): Record<string, string> {
  return {
    [`${name}/service.yaml`]: [
      'apiVersion: tributary/v1',
      'kind: Service',
      `name: ${name}`,
      'ports: [{ name: http, port: 8080 }]',
      'health: { readiness: /healthz }',
      `run: { image: "tributary-example/${name}:{version}" }`,
      'config: { defaults: { greeting: hello } }',
      'expose: { public: true }',
      '',
    ].join('\n'),
    [`${name}/server.mjs`]: `import { createServer } from 'node:http'
import { connect } from '@tributary/sdk'
const tributary = await connect()
process.on('SIGTERM', () => process.exit(0))
createServer((request, response) => {
  response.end(JSON.stringify({
    service: ${JSON.stringify(name)},
    tenant: process.env.TRIBUTARY_TENANT,
    greeting: tributary.config.get('greeting'),
    state: tributary.status.state,
    hasToken: process.env.TRIBUTARY_TOKEN !== undefined,
    baggage: request.headers.baggage,
  }))
}).listen(Number(process.env.PORT))
`,
  }
}

interface Answer {
  readonly service: string
  readonly tenant: string
  readonly greeting: string
  readonly state: string
  readonly hasToken: boolean
  readonly baggage: string
}

/** One installation for the whole story: each test goes on where the one before has ended. */
describeWithCluster('the platform, installed by its chart', () => {
  let platform: InstalledPlatform
  let values: Record<string, unknown>
  let repository: GitFixture
  let notes = ''

  beforeAll(async () => {
    platform = await InstalledPlatform.prepare(INSTANCE)
    const folder = path.join(platform.directory, 'git')
    await mkdir(folder, { recursive: true })
    repository = await GitFixture.create(folder, 'system', { ...service('hello'), ...service('stock') })
    await buildImages(repository.url, 'main', SERVICES)
    const urlOf = await platform.serveGit(folder)
    values = {
      ...platform.valuesFor(await makePlatformImage()),
      repositories: [{ name: 'system', url: urlOf('system') }],
      settings: { pollSeconds: 1, drainSeconds: 1 },
      kubernetes: { namespacePrefix: PREFIX, values: SERVICE_VALUES },
      previews: { url: 'http://{environment}.preview.test', ingressClass: 'none' },
      persistence: { storageClass: await platform.makeVolumes() },
    }
    notes = await platform.apply(values)
  }, 400_000)

  afterAll(() => platform.remove(), 300_000)

  /** A request through the gateway, as the ingress controller would pass it on. */
  function ask(environment: string, target: string, agent: Agent | false = false): Promise<Answer> {
    const headers = { host: `${environment}.preview.test`, baggage: 'tributary-tenant=somebody-else' }
    return new Promise((resolve, reject) => {
      const options = { host: platform.gatewayAddress, port: 80, path: target, headers, agent, timeout: 10_000 }
      const outgoing = request(options, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.once('error', reject)
        response.once('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as Answer)
          else reject(new Error(`${response.statusCode}: ${text.slice(0, 300)}`))
        })
      })
      outgoing.once('timeout', () => outgoing.destroy(new Error('no answer within 10 s')))
      outgoing.once('error', reject).end()
    })
  }

  async function untilReady(name: string): Promise<Environment> {
    onTestFailed(async () => {
      process.stderr.write(`${await platform.logs()}\n`)
    })
    const look = async (): Promise<Environment> => {
      const environment = await platform.envManager.getEnvironment(name)
      if (environment.phase === 'ready') return environment
      throw new Error(
        `${environment.phase}: ${JSON.stringify(environment.conditions.filter(({ status }) => status !== 'True'))}`,
      )
    }
    return waitFor(`environment ${name} to become ready`, look, { timeoutMs: 120_000, everyMs: 250 })
  }

  const podIdsOf = (namespace: string): Promise<string> =>
    platform.kubectl(['get', 'pods', '-n', namespace, '-o', 'jsonpath={.items[*].metadata.uid}'])

  const canI = async (verb: string, resource: string, namespace: string): Promise<string> =>
    platform.kubectl(['auth', 'can-i', verb, resource, '-n', namespace, `--as=${ACCOUNT}`]).catch(() => 'no')

  it('tells how to go on, and shows no token', async () => {
    expect(notes).toContain('http://{environment}.preview.test')
    expect(notes).toContain('get secret -n install-system tributary-bootstrap')
    expect(notes).not.toContain(await platform.adminToken())
    expect(await platform.kubectl(['get', 'role,rolebinding,job', '-n', 'install-system', '-o', 'name'])).not.toContain(
      'bootstrap',
    )
  })

  it('builds integration from git, and leads to it through the gateway', async () => {
    await untilReady('integration')
    // The gateway of a new installation looks for its first tenant with backoff; until then it says "try again".
    const first = (): Promise<Answer> => ask('integration', '/hello/')
    const answer = await waitFor('the gateway to know integration', first, { timeoutMs: 60_000 })
    expect(answer).toMatchObject({ service: 'hello', tenant: 'integration', greeting: 'hello', state: 'READY' })
    expect(answer.baggage).toBe('tributary-tenant=integration')
  })

  it('knows pods by their own tokens: nobody gives them one', async () => {
    const answer = await ask('integration', '/stock/')
    expect([answer.state, answer.hasToken]).toEqual(['READY', false])
    const { subscriptions } = await platform.configCenter.listSubscriptions({ tenant: 'integration' })
    expect(subscriptions.map(({ service: name }) => name).toSorted()).toEqual(
      expect.arrayContaining(['hello', 'stock']),
    )
  })

  it('gives a branch its own copy, its own URL, and integration’s for the rest', async () => {
    const commit = await repository.push('feature/install', { 'hello/note.txt': 'changed\n' })
    await buildImages(repository.url, commit, { hello: 'hello' })
    await untilReady(FEATURE)
    expect(await ask(FEATURE, '/hello/')).toMatchObject({ tenant: FEATURE, state: 'READY', hasToken: false })
    expect(await ask(FEATURE, '/stock/')).toMatchObject({ tenant: 'integration' })
    const ingress = ['get', 'ingress', '-n', 'install-system', `preview-${FEATURE}`]
    expect(await platform.kubectl([...ingress, '-o', 'jsonpath={.spec.rules[0].host}'])).toBe(`${FEATURE}.preview.test`)
  })

  it('changes config in a running pod', async () => {
    const target = { tenant: FEATURE, service: 'hello' }
    await platform.configCenter.patchDocument(target, { greeting: 'salut' }, { waitMs: 5_000 })
    await eventually(async () => expect((await ask(FEATURE, '/hello/')).greeting).toBe('salut'))
    expect((await ask('integration', '/hello/')).greeting).toBe('hello')
  })

  it('lets an environment sleep, and wakes it for whoever asks: nobody is answered by integration instead', async () => {
    const newestRuns = async () => (await platform.envManager.listRuns({ environment: FEATURE, limit: 2 })).runs
    await platform.envManager.sleepEnvironment(FEATURE)
    const isAsleep = async (): Promise<boolean> => {
      const [newest] = await newestRuns()
      return newest?.kind === 'sleep' && newest.state === 'succeeded'
    }
    await waitFor('the environment to sleep', isAsleep, { timeoutMs: 120_000, everyMs: 250 })
    const seen: string[] = []
    // There are two gateways, and each hears of it by itself.
    const isAwake = async (): Promise<boolean> => {
      const answer = await ask(FEATURE, '/hello/').then(({ tenant }) => tenant, String)
      seen.push(answer.includes('GATEWAY_ENVIRONMENT_ASLEEP') ? 'asleep' : answer)
      return seen.length > 20 && seen.slice(-20).every((one) => one === FEATURE)
    }
    await waitFor('answers after the sleep', isAwake, { timeoutMs: 120_000, everyMs: 50 })
    expect(seen[0]).toBe('asleep')
    expect(new Set(seen)).toEqual(new Set(['asleep', FEATURE]))
    const runs = await newestRuns()
    expect(runs.map(({ kind, trigger }) => [kind, trigger])).toEqual([
      ['deploy', 'wake'],
      ['sleep', 'request'],
    ])
  })

  it('may do what it needs in its environments, and next to nothing elsewhere', async () => {
    const rows: readonly (readonly [string, string, string, 'yes' | 'no'])[] = [
      ['create', 'deployments', FEATURE_NAMESPACE, 'yes'],
      ['get', 'secrets', FEATURE_NAMESPACE, 'yes'],
      ['get', 'secrets', 'kube-system', 'no'],
      ['list', 'secrets', 'default', 'no'],
      ['get', 'secrets/tributary-bootstrap', 'install-system', 'no'],
      ['create', 'deployments', 'default', 'no'],
      ['delete', 'pods', 'kube-system', 'no'],
      ['create', 'clusterrolebindings', 'default', 'no'],
      ['escalate', 'clusterroles', 'default', 'no'],
      ['create', 'pods/exec', FEATURE_NAMESPACE, 'no'],
    ]
    const answers = await Promise.all(rows.map(async ([verb, resource, namespace]) => canI(verb, resource, namespace)))
    expect(rows.map(([verb, resource, namespace], index) => [verb, resource, namespace, answers[index]])).toEqual(rows)
  })

  it('is found healthy by the doctor, from within', async () => {
    const exec = ['exec', '-n', 'install-system', 'deploy/tributary-env-manager', '--']
    const printed = await platform.kubectl([...exec, 'node', '/app/cli/bin/tributary.mjs', 'doctor', '--json'])
    const { healthy, findings } = JSON.parse(printed) as {
      healthy: boolean
      findings: { check: string; verdict: string }[]
    }
    expect([healthy, findings.filter(({ verdict }) => verdict !== 'ok')]).toEqual([true, []])
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['git', 'helm', 'cluster', 'permissions in the whole cluster', 'token', 'config center']),
    )
  })

  it('is upgraded under a running environment, and no request fails', async () => {
    // A copy that was replaced while the environment was made may be ending yet.
    const before = await eventually(
      async () => {
        const ids = await podIdsOf(FEATURE_NAMESPACE)
        expect(ids.split(' ')).toHaveLength(1)
        return ids
      },
      { timeoutMs: 60_000, intervalMs: 500 },
    )
    const platformBefore = await podIdsOf('install-system')
    const failures: string[] = []
    let requests = 0
    const over = new AbortController()
    const loop = async (environment: string, target: string, agent: Agent | false): Promise<void> => {
      while (!over.signal.aborted) {
        await ask(environment, target, agent).catch((error: unknown) => failures.push(String(error)))
        requests += 1
        // People pause, too. Without a pause these loops take the machine from the pods that are being replaced.
        await delay(PACE_MS)
      }
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 2 })
    const loops = [loop(FEATURE, '/hello/', false), loop(FEATURE, '/stock/', false), loop(FEATURE, '/hello/', agent)]
    await platform.apply({ ...values, podAnnotations: { 'example.com/upgrade': '1' } })
    await untilReady(FEATURE)
    over.abort()
    await Promise.all(loops)
    agent.destroy()
    expect(failures).toEqual([])
    expect(requests).toBeGreaterThan(100)
    expect(await podIdsOf(FEATURE_NAMESPACE)).toBe(before)
    const replaced = new Set(platformBefore.split(' '))
    // Gateways that were replaced may be finishing yet.
    const left = async (): Promise<string[]> =>
      (await podIdsOf('install-system')).split(' ').filter((id) => replaced.has(id))
    await eventually(async () => expect(await left()).toEqual([]), { timeoutMs: 60_000, intervalMs: 500 })
  })

  it('has lost nothing by the upgrade: config and environments are there, and pods follow on', async () => {
    expect((await ask(FEATURE, '/hello/')).greeting).toBe('salut')
    const target = { tenant: FEATURE, service: 'hello' }
    await platform.configCenter.patchDocument(target, { greeting: 'moin' }, { waitMs: 20_000 })
    await eventually(async () => expect((await ask(FEATURE, '/hello/')).greeting).toBe('moin'), { timeoutMs: 30_000 })
  })

  it('removes the environment of a deleted branch whole, its route too', async () => {
    await repository.delete('feature/install')
    const gone = (): Promise<boolean> => isGone(platform.envManager.getEnvironment(FEATURE))
    await waitFor('the environment to be gone', gone, { timeoutMs: 120_000, everyMs: 250 })
    const left = [
      'get',
      'namespace,ingress',
      '-A',
      '-l',
      `tributary.dev/environment=${FEATURE}`,
      '--ignore-not-found',
      '-o',
      'name',
    ]
    expect(await platform.kubectl(left)).toBe('')
  })

  it('is uninstalled but for its volumes, its first token and the environments', async () => {
    await platform.uninstall()
    const kinds = 'deployment,service,ingress,networkpolicy,configmap,job,role,rolebinding,secret,persistentvolumeclaim'
    const left = await platform.kubectl(['get', kinds, '-n', 'install-system', '-o', 'name'])
    const own = left.split('\n').filter((name) => name.includes('tributary-'))
    expect(own.toSorted()).toEqual([
      'persistentvolumeclaim/tributary-config-center',
      'persistentvolumeclaim/tributary-env-manager',
      'secret/tributary-bootstrap',
    ])
    const cluster = ['get', 'clusterrole,clusterrolebinding', '-o', 'name']
    expect(await platform.kubectl(cluster)).not.toContain('install-system.tributary')
    const integration = `namespace/${PREFIX}integration`
    expect(await platform.kubectl(['get', integration, '-o', 'name'])).toBe(integration)
  })
})
