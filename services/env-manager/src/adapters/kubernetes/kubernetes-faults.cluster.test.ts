import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWithCluster, eventually, FaultProxy, testKubeconfig } from '@tributary/testkit'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { RESOURCES, type KubeNamespace, type KubeObject, type KubeSecret, type Resource } from './api/kube-objects.js'
import { KubernetesWorld, untilClean, type KubernetesWorldOptions } from './kubernetes-world.test-support.js'

const CONFIG_MAP: Resource = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps' }
const CLUSTER_ROLE: Resource = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  plural: 'clusterroles',
}
const CLUSTER_ROLE_BINDING: Resource = { ...CLUSTER_ROLE, kind: 'ClusterRoleBinding', plural: 'clusterrolebindings' }
const SERVICE_ACCOUNT: Resource = { apiVersion: 'v1', kind: 'ServiceAccount', plural: 'serviceaccounts' }

/** The parts of a kubeconfig that these tests change. */
interface Kubeconfig {
  clusters: { cluster: { server: string; 'tls-server-name'?: string } }[]
  users: { user: Record<string, unknown> }[]
}

describeWithCluster('a cluster that says no', () => {
  let world: KubernetesWorld
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-faults-'))
  })
  afterEach(async () => {
    await world[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })
  afterAll(untilClean)

  const open = async (options: KubernetesWorldOptions = {}): Promise<string> => {
    world = await KubernetesWorld.create(options)
    return world.environments.one
  }
  /** The kubeconfig of the test, changed. */
  const changedKubeconfig = async (change: (config: Kubeconfig) => void): Promise<string> => {
    const config = parse(await readFile(testKubeconfig(), 'utf8')) as Kubeconfig
    change(config)
    const file = join(folder, 'kubeconfig')
    await writeFile(file, stringify(config), { mode: 0o600 })
    return file
  }
  const messageOf = async (environment: string): Promise<string> =>
    (await world.platform.listWorkloads(environment))[0]?.message ?? ''

  describe('to a space', () => {
    it('leaves a namespace alone that somebody else has made', async () => {
      const environment = await open()
      const theirs = { metadata: { name: environment, labels: { owner: 'them' } } }
      await world.make(RESOURCES.namespace, theirs)
      try {
        await expect(world.platform.ensureSpace(environment, 1, world.context)).rejects.toMatchObject({
          code: 'NAMESPACE_FOREIGN',
          message: expect.stringContaining('left alone'),
        })
        await world.platform.removeSpace(environment, world.context)
        expect(await world.platform.listResources()).toEqual([])
        expect(world.recorded).toEqual([])
        const found = await world.api.get<KubeNamespace>(RESOURCES.namespace, { name: environment }, world.signal)
        expect(found.metadata.deletionTimestamp).toBeUndefined()
        expect(found.metadata.labels).toMatchObject({ owner: 'them' })
        expect(Object.keys(found.metadata.labels ?? {}).filter((name) => name.includes('tributary'))).toEqual([])
      } finally {
        await world.api.delete(RESOURCES.namespace, { name: environment }, { signal: world.signal })
      }
    })

    it('makes quota, limits and policies, and copies declared secrets', async () => {
      const system = `${(await open()).slice(0, -2)}-system`
      await world[Symbol.asyncDispose]()
      const config = {
        systemNamespace: system,
        copySecrets: ['mail'],
        imagePullSecrets: ['registry'],
        quota: { pods: 3 },
      }
      const environment = await open({ config })
      await world.make(RESOURCES.namespace, { metadata: { name: system } })
      try {
        await expect(world.platform.ensureSpace(environment, 1, world.context)).rejects.toMatchObject({
          code: 'SECRET_UNAVAILABLE',
          message: expect.stringContaining(system),
        })
        for (const name of ['mail', 'registry']) {
          const secret: KubeSecret = { metadata: { name, namespace: system }, data: { key: 'czNjcmV0' } }
          await world.make(RESOURCES.secret, secret)
        }
        await world.platform.ensureSpace(environment, 1, world.context)
        const kinds = (await world.platform.listResources()).map(({ kind, id }) => `${kind} ${id}`)
        expect(kinds.sort()).toEqual([
          `limitrange ${environment}/tributary-environment`,
          `namespace ${environment}`,
          `networkpolicy ${environment}/tributary-environment`,
          `resourcequota ${environment}/tributary-environment`,
          `secret ${environment}/mail`,
          `secret ${environment}/registry`,
        ])
        const at = { namespace: environment, name: 'mail' }
        expect((await world.api.get<KubeSecret>(RESOURCES.secret, at, world.signal)).data).toEqual({ key: 'czNjcmV0' })
      } finally {
        await world.api.delete(RESOURCES.namespace, { name: system }, { signal: world.signal })
      }
    })

    it('notices that a namespace was deleted by hand, and makes it again when it is gone', async () => {
      const environment = await open()
      const spec = await world.spec('orders', 'serves')
      await world.platform.ensureSpace(environment, 1, world.context)
      const { workloadId } = await world.platform.deployWorkload(spec, world.context)
      await world.platform.awaitHealthy(workloadId, { signal: world.signal, timeoutMs: 60_000 })
      const changes = world.platform.watchChanges({ signal: AbortSignal.timeout(60_000) })[Symbol.asyncIterator]()
      await world.api.delete(RESOURCES.namespace, { name: environment }, { signal: world.signal })
      expect(await changes.next()).toEqual({ done: false, value: environment })
      await eventually(async () => expect(await world.platform.listWorkloads(environment)).toEqual([]), {
        timeoutMs: 60_000,
      })
      await world.platform.ensureSpace(environment, 1, world.context)
      await world.platform.deployWorkload(spec, world.context)
      const again = await world.platform.awaitHealthy(workloadId, { signal: world.signal, timeoutMs: 60_000 })
      expect(again.health).toBe('healthy')
    })

    it('names the finalizer that holds a namespace and who set it, and takes it off only when it is told to', async () => {
      const environment = await open({ removalPatienceMs: 8_000 })
      await world.platform.ensureSpace(environment, 1, world.context)
      const held = { name: 'held', namespace: environment, finalizers: ['example.com/backup'] }
      await world.make(CONFIG_MAP, { metadata: held })
      await expect(world.platform.removeSpace(environment, world.context)).rejects.toMatchObject({
        code: 'PLATFORM_STUCK',
        retryable: true,
        message: expect.stringMatching(
          /ConfigMap held is held by the finalizer example\.com\/backup, set by \S+.*release-finalizers/s,
        ),
      })
      const [resource] = (await world.platform.listResources()).filter(({ kind }) => kind === 'namespace')
      expect(resource).toBeDefined()
      if (resource !== undefined) expect((await world.platform.verifyGone(resource)).gone).toBe(false)
      expect(await world.platform.releaseFinalizers(environment, world.context)).toEqual([
        { object: `ConfigMap ${environment}/held`, finalizers: ['example.com/backup'] },
      ])
      await world.platform.removeSpace(environment, world.context)
      if (resource !== undefined) expect((await world.platform.verifyGone(resource)).gone).toBe(true)
    })

    it('takes no finalizer off in a namespace that nobody removes', async () => {
      const environment = await open()
      await world.platform.ensureSpace(environment, 1, world.context)
      const held = { name: 'held', namespace: environment, finalizers: ['example.com/backup'] }
      await world.make(CONFIG_MAP, { metadata: held })
      expect(await world.platform.releaseFinalizers(environment, world.context)).toEqual([])
      const at = { namespace: environment, name: 'held' }
      const found = await world.api.get<KubeObject>(CONFIG_MAP, at, world.signal)
      expect(found.metadata.finalizers).toEqual(['example.com/backup'])
      await world.api.mergePatch(CONFIG_MAP, at, { patch: { metadata: { finalizers: null } }, signal: world.signal })
    })
  })

  describe('to a copy', () => {
    const deploy = async (environment: string, more: Parameters<KubernetesWorld['spec']>[2] = {}): Promise<string> => {
      const spec = await world.spec('orders', 'serves', more)
      await world.platform.ensureSpace(environment, 1, world.context)
      return (await world.platform.deployWorkload(spec, world.context)).workloadId
    }

    it('says that the quota is exceeded', async () => {
      const environment = await open({ config: { quota: { pods: 0 } } })
      const workloadId = await deploy(environment)
      const waiting = world.platform.awaitHealthy(workloadId, { signal: world.signal, timeoutMs: 5_000 })
      await expect(waiting).rejects.toMatchObject({
        code: 'PLATFORM_UNHEALTHY',
        message: expect.stringMatching(/quota of the environment is exceeded.*pods=1.*limited: pods=0/),
      })
    })

    it('says at once that an image is missing which nobody will pull', async () => {
      const environment = await open()
      const { definition } = await world.publish('orders', 'serves')
      const workloadId = await deploy(environment, {
        definition: { ...definition, run: { image: 'no-such/image:{version}' } },
      })
      const waiting = world.platform.awaitHealthy(workloadId, { signal: world.signal, timeoutMs: 60_000 })
      await expect(waiting).rejects.toMatchObject({
        code: 'PLATFORM_IMAGE_MISSING',
        retryable: true,
        message: expect.stringMatching(
          /does not come up: the image no-such\/image:v1\.0-1-\w+ cannot be had \(ErrImageNeverPull\)/,
        ),
      })
    })

    it('says that no node has room', async () => {
      const environment = await open({
        config: { values: { image: { pullPolicy: 'Never' }, resources: { requests: { cpu: '500' } } } },
      })
      await deploy(environment)
      await eventually(async () => expect(await messageOf(environment)).toMatch(/finds no node: .*Insufficient cpu/), {
        timeoutMs: 30_000,
      })
    })
  })

  describe('to the manager', () => {
    it('names the permission that its account has lost', async () => {
      const environment = await open()
      const name = environment
      const rules = [
        { apiGroups: [''], resources: ['namespaces', 'pods'], verbs: ['get', 'list', 'watch'] },
        { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list', 'watch'] },
      ]
      const role: KubeObject & { readonly rules: unknown } = { metadata: { name }, rules }
      const binding: KubeObject & { readonly roleRef: unknown; readonly subjects: unknown } = {
        metadata: { name },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: name }],
      }
      await world.platform.ensureSpace(environment, 1, world.context)
      await world.make(CLUSTER_ROLE, role)
      await world.make(CLUSTER_ROLE_BINDING, binding)
      const whole = world
      try {
        const token = await tokenOf(whole, name)
        const kubeconfig = await changedKubeconfig((config) => {
          for (const { user } of config.users) Object.assign(user, { token })
        })
        world = await KubernetesWorld.create({ kubeconfig })
        await expect(world.platform.ensureSpace(world.environments.one, 1, world.context)).rejects.toMatchObject({
          code: 'KUBERNETES_FORBIDDEN',
          message: expect.stringMatching(/create Namespace .*cannot create resource "namespaces".*tributary doctor/s),
        })
      } finally {
        await whole.api.delete(CLUSTER_ROLE, { name }, { signal: whole.signal })
        await whole.api.delete(CLUSTER_ROLE_BINDING, { name }, { signal: whole.signal })
        await whole[Symbol.asyncDispose]()
      }
    })

    it('goes on by itself when the API server was away for half a minute, during a deploy and during a removal', async () => {
      const server = new URL(await serverOf())
      const proxy = await FaultProxy.start(Number(server.port), server.hostname)
      try {
        const kubeconfig = await changedKubeconfig((config) => {
          for (const { cluster } of config.clusters)
            Object.assign(cluster, { server: `https://127.0.0.1:${proxy.port}`, 'tls-server-name': 'kubernetes' })
        })
        const environment = await open({ kubeconfig })
        const { other } = world.environments
        for (const name of [environment, other]) await world.platform.ensureSpace(name, 1, world.context)
        const spec = await world.spec('orders', 'serves')
        const leaving = await world.platform.deployWorkload({ ...spec, environment: other }, world.context)
        await world.platform.awaitHealthy(leaving.workloadId, { signal: world.signal, timeoutMs: 60_000 })
        const { workloadId } = await world.platform.deployWorkload(spec, world.context)
        proxy.refuse()
        const back = setTimeout(() => proxy.accept(), 30_000)
        const deploying = world.platform.awaitHealthy(workloadId, { signal: world.signal, timeoutMs: 90_000 })
        const removing = eventually(() => world.platform.removeSpace(other, world.context), {
          timeoutMs: 120_000,
          intervalMs: 1000,
        })
        expect((await deploying).health).toBe('healthy')
        await removing
        clearTimeout(back)
        expect(await world.namespaces()).toEqual([environment])
      } finally {
        proxy.accept()
        await world[Symbol.asyncDispose]()
        await proxy.close()
      }
    })
  })

  async function serverOf(): Promise<string> {
    const config = parse(await readFile(testKubeconfig(), 'utf8')) as Kubeconfig
    return config.clusters[0]?.cluster.server ?? ''
  }
})

/** The token that 1.20 keeps in a Secret of the account; later versions give one when they are asked. */
async function tokenOf(world: KubernetesWorld, namespace: string): Promise<string> {
  await eventually(() => world.api.get(SERVICE_ACCOUNT, { namespace, name: 'default' }, world.signal), {
    timeoutMs: 20_000,
  })
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default/token`
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } }
  const answer = await world.api.post<{ readonly status: { readonly token: string } }>(path, request, world.signal)
  return answer.status.token
}
