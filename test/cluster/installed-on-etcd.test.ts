import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { createConfigCenterClient } from '@tributary/client'
import { describeWithCluster, testImage } from '@tributary/testkit'
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest'
import { GitFixture } from '../support/git-fixture.js'
import { isGone } from '../support/platform.js'
import { waitFor } from '../support/wait-for.js'
import { startEtcd } from './support/etcd-pod.js'
import { InstalledPlatform } from './support/installed-platform.js'
import { installMeshKinds, removeMeshKinds } from './support/mesh-kinds.js'
import { makePlatformImage } from './support/platform-image.js'
import { TINY_PROGRAM, tinyDefinition } from './support/tiny-service.js'

const INSTANCE = `on-etcd-${process.pid % 10_000}`
const SYSTEM = `${INSTANCE}-system`
const PREFIX = `${INSTANCE}-`
const X = 'feature-x'
const HELD = 'example.com/backup'
const MESH_KINDS = ['httproutes', 'referencegrants'] as const

interface Pod {
  readonly name: string
  readonly ip: string
  readonly ready: boolean
}

/** One installation for the whole story: each test goes on where the one before has ended. */
describeWithCluster('the platform, installed with etcd as its store and for a mesh', () => {
  let platform: InstalledPlatform
  let repository: GitFixture

  const kubectl = (args: readonly string[], input = ''): Promise<string> => platform.kubectl(args, input)

  beforeAll(async () => {
    platform = await InstalledPlatform.prepare(INSTANCE)
    await platform.kubectl(['create', 'namespace', SYSTEM])
    const image = await testImage({
      name: 'tributary-churn',
      files: { 'server.cjs': TINY_PROGRAM },
      command: ['/app/server.cjs'],
    })
    const folder = path.join(platform.directory, 'git')
    await mkdir(folder, { recursive: true })
    repository = await GitFixture.create(folder, 'tiny', { 'service.yaml': tinyDefinition(image), text: 'main' })
    const urlOf = await platform.serveGit(folder)
    const platformImage = await makePlatformImage()
    const endpoint = await startEtcd(kubectl, SYSTEM)
    await installMeshKinds(kubectl, MESH_KINDS)
    const values = {
      ...platform.valuesFor(platformImage),
      store: { kind: 'etcd', etcd: { endpoints: [endpoint] } },
      configCenter: { replicas: 2 },
      envManager: { replicas: 2 },
      gateway: { replicas: 1 },
      repositories: [{ name: 'tiny', url: urlOf('tiny') }],
      settings: { pollSeconds: 1, drainSeconds: 0 },
      kubernetes: {
        namespacePrefix: PREFIX,
        mesh: 'gamma',
        values: {
          image: { pullPolicy: 'Never' },
          terminationGracePeriodSeconds: 2,
          drainSeconds: 0,
          runAsUser: 1000,
          runAsGroup: 1000,
          resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
        },
      },
    }
    // A standby is never ready, so helm would wait for ever; this is what the guide says instead.
    await platform.apply(values, { wait: false })
    const leads = '--for=jsonpath={.status.readyReplicas}=1'
    await platform.kubectl(['wait', '-n', SYSTEM, 'deployment/tributary-env-manager', leads, '--timeout=90s'])
  }, 300_000)

  afterAll(async () => {
    // Whatever a failed test left behind must not hold the namespace.
    const release = ['patch', 'configmap', 'held', '-n', `${PREFIX}${X}`, '--type=merge', '-p']
    await platform.kubectl([...release, '{"metadata":{"finalizers":null}}']).catch(() => undefined)
    await platform.remove()
    await removeMeshKinds(kubectl, MESH_KINDS)
  }, 300_000)

  async function podsOf(component: string): Promise<readonly Pod[]> {
    const selector = `app.kubernetes.io/component=${component}`
    const printed = await platform.kubectl(['get', 'pods', '-n', SYSTEM, '-l', selector, '-o', 'json'])
    const { items } = JSON.parse(printed) as {
      items: {
        metadata: { name: string; deletionTimestamp?: string }
        status: { podIP?: string; conditions?: { type: string; status: string }[] }
      }[]
    }
    return items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ metadata, status }) => ({
        name: metadata.name,
        ip: status.podIP ?? '',
        ready: status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false,
      }))
  }

  /** The pod that leads, once there is one, and the other stands by. */
  const untilLed = (notBy?: string): Promise<string> => {
    onTestFailed(async () => {
      process.stderr.write(`${await platform.logs()}\n`)
    })
    return waitFor(
      'one env-manager to lead',
      async () => {
        const ready = (await podsOf('env-manager')).filter((pod) => pod.ready && pod.name !== notBy)
        return ready.length === 1 ? ready[0]?.name : undefined
      },
      { timeoutMs: 90_000, everyMs: 250 },
    )
  }

  const untilReady = (name: string, commit?: string): Promise<unknown> =>
    waitFor(
      `environment ${name} to become ready`,
      async () => {
        const { phase, services, conditions } = await platform.envManager.getEnvironment(name)
        const isThere = commit === undefined || services.some(({ deployedCommit }) => deployedCommit === commit)
        if (phase === 'ready' && isThere) return true
        throw new Error(`${phase}: ${JSON.stringify(conditions.filter(({ status }) => status !== 'True'))}`)
      },
      { timeoutMs: 90_000, everyMs: 250 },
    )

  it('has one env-manager that leads and one that stands by, and two config centers that serve', async () => {
    await untilLed()
    await untilReady('integration')
    expect((await podsOf('env-manager')).map(({ ready }) => ready).toSorted()).toEqual([false, true])
    await waitFor('both config centers', async () => (await podsOf('config-center')).every(({ ready }) => ready))
    expect(await podsOf('config-center')).toHaveLength(2)
  })

  it('knows at one config center what was written at the other', async () => {
    const token = await platform.adminToken()
    const [one, other] = (await podsOf('config-center')).map(({ ip }) =>
      createConfigCenterClient({ baseUrl: `http://${ip}:7400`, token }),
    )
    const target = { tenant: 'integration', service: 'tiny' }
    await one?.patchDocument(target, { greeting: 'from one' })
    const { documents } = (await other?.listDocuments('integration')) ?? { documents: [] }
    expect(documents.find(({ service }) => service === 'tiny')?.data).toEqual({ greeting: 'from one' })
  })

  it('goes on with pushes when the leader is killed: another one takes over', async () => {
    const leader = await untilLed()
    await platform.kubectl(['delete', 'pod', leader, '-n', SYSTEM, '--grace-period=0', '--force', '--wait=false'])
    const commit = await repository.push('feature/x', { text: 'changed' })
    // The standby, unless the pod that replaces the leader was faster: on a busy node the former may be starting yet.
    await untilLed(leader)
    await untilReady(X, commit)
    const integration = await platform.envManager.getEnvironment('integration')
    expect(integration.phase).toBe('ready')
  })

  it('makes header routes for the mesh with the rights that the chart gives for it, and the doctor misses none', async () => {
    const routes = ['get', 'httproutes', '-n', `${PREFIX}integration`, '-o', 'name']
    expect(await kubectl(routes)).toBe(`httproute.gateway.networking.k8s.io/tributary.${X}.tiny.8080`)
    const { conditions } = await platform.envManager.getEnvironment(X)
    expect(conditions.find(({ type }) => type === 'MeshRouted')).toMatchObject({ status: 'True' })
    const leader = ['exec', '-n', SYSTEM, await untilLed(), '--']
    const printed = await kubectl([...leader, 'node', '/app/cli/bin/tributary.mjs', 'doctor', '--json'])
    const { findings } = JSON.parse(printed) as { findings: { check: string; verdict: string; found: string }[] }
    expect(findings.filter(({ verdict }) => verdict === 'failed' || verdict === 'warning')).toEqual([])
    expect(findings.find(({ check }) => check === 'mesh')).toMatchObject({
      verdict: 'ok',
      found: 'gamma: the cluster has HTTPRoute and ReferenceGrant',
    })
  })

  it('lets a person release what holds a namespace, with no more rights than its role in that namespace', async () => {
    const namespace = `${PREFIX}${X}`
    const held = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'held', namespace, finalizers: [HELD] },
    }
    await platform.kubectl(['apply', '-f', '-'], JSON.stringify(held))
    await repository.delete('feature/x')
    const released = await waitFor(
      'something to release',
      async () => {
        const { released: objects } = await platform.envManager.releaseFinalizers(X)
        return objects.length > 0 && objects
      },
      { timeoutMs: 60_000, everyMs: 500 },
    )
    expect(released).toEqual([{ object: `ConfigMap ${namespace}/held`, finalizers: [HELD] }])
    const gone = (): Promise<boolean> => isGone(platform.envManager.getEnvironment(X))
    await waitFor('the environment to be gone', gone, { timeoutMs: 90_000, everyMs: 250 })
    expect(await platform.kubectl(['get', 'namespace', namespace, '--ignore-not-found', '-o', 'name'])).toBe('')
    const { receipts } = await platform.envManager.listReceipts(X)
    const proven = receipts[0]?.resources.map(({ kind, id }) => `${kind} ${id}`)
    expect(proven).toEqual(
      expect.arrayContaining([
        `httproute ${PREFIX}integration/tributary.${X}.tiny.8080`,
        `referencegrant ${namespace}/tributary-mesh`,
        `namespace ${namespace}`,
      ]),
    )
  })
})
