import type { Endpoint } from '@tributary/contract'
import { describeWithCluster, eventually } from '@tributary/testkit'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import type { ServiceName } from '../../ports/platform.js'
import { RESOURCES, type KubeObject, type KubePod, type Resource } from './api/kube-objects.js'
import { KubernetesWorld, untilClean } from './kubernetes-world.test-support.js'
import { ANNOTATIONS } from './names.js'
import { nameObjects } from './service-names.js'
import type { PlannedObject } from './space/space-objects.js'
import { isReady } from './workloads/pod-reason.js'

/** Nodes read addresses from these. The version that the oldest and no newer cluster has is asked for when there is no other. */
const SLICE_VERSIONS = ['v1', 'v1beta1'] as const

/** The Service that is written first when a name turns from pods to an address. */
function firstWriteOf(planned: PlannedObject | undefined): KubeObject {
  if (planned === undefined) throw new Error('the name has no Service')
  const annotations = { [ANNOTATIONS.forgetAddresses]: 'true' }
  return { ...planned.object, metadata: { ...planned.object.metadata, annotations } }
}

interface Slice extends KubeObject {
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[] | null
}

describeWithCluster('a name that leads elsewhere', () => {
  let world: KubernetesWorld
  beforeEach(async () => {
    world = await KubernetesWorld.create()
    await world.platform.ensureSpace(world.environments.one, 1, world.context)
  })
  afterEach(() => world[Symbol.asyncDispose]())
  afterAll(untilClean)

  /** Every address that nodes send connections to, of all slices. */
  const addresses = async (): Promise<readonly string[]> => {
    const { groups } = await world.api.read<{ groups: { name: string; versions: { version: string }[] }[] }>(
      '/apis',
      world.signal,
    )
    const served = groups.find(({ name }) => name === 'discovery.k8s.io')?.versions.map(({ version }) => version) ?? []
    const version = SLICE_VERSIONS.find((one) => served.includes(one)) ?? 'v1'
    const slices: Resource = {
      apiVersion: `discovery.k8s.io/${version}`,
      kind: 'EndpointSlice',
      plural: 'endpointslices',
    }
    const selection = { namespace: world.environments.one, labelSelector: 'kubernetes.io/service-name=orders' }
    const { items } = await world.api.list<Slice>(slices, selection, world.signal)
    return items.flatMap(({ endpoints }) => (endpoints ?? []).flatMap((one) => one.addresses)).toSorted()
  }
  const readyPods = async (): Promise<readonly string[]> => {
    const { items } = await world.api.list<KubePod>(RESOURCES.pod, { namespace: world.environments.one }, world.signal)
    return items
      .filter((pod) => pod.metadata.deletionTimestamp === undefined && isReady(pod))
      .flatMap(({ status }) => (status?.podIP === undefined ? [] : [status.podIP]))
  }
  const lead = async (state: ServiceName['state'], endpoints: readonly Endpoint[]): Promise<void> => {
    const names = [{ service: 'orders', state, endpoints }]
    await world.platform.applyServiceNames(world.environments.one, async () => names, world.context)
  }
  const deploy = async (): Promise<readonly Endpoint[]> => {
    const { workloadId, endpoints } = await world.platform.deployWorkload(
      await world.spec('orders', 'serves'),
      world.context,
    )
    const { signal } = world
    await world.platform.awaitHealthy(workloadId, { signal, timeoutMs: 60_000 })
    return endpoints
  }
  const leave = (): Promise<void> =>
    world.platform.retireWorkloads({ environment: world.environments.one, service: 'orders' }, world.context)
  const elsewhere = (host: string): readonly Endpoint[] => [{ name: 'http', protocol: 'http', host, port: 8080 }]
  const untilOnly = (expected: () => Promise<readonly string[]>): Promise<void> =>
    eventually(async () => expect(await addresses()).toEqual(await expected()), { timeoutMs: 30_000 })

  it('sends nobody to the pod of before when it comes back: an environment that slept wakes whole', async () => {
    await lead('own', await deploy())
    await untilOnly(readyPods)
    const [former] = await addresses()
    await lead('inherited', elsewhere('orders.base.svc.cluster.local'))
    await leave()
    await lead('own', await deploy())
    await untilOnly(readyPods)
    expect(await addresses()).not.toContain(former)
    expect(await addresses()).toHaveLength(1)
  })

  it('sends nobody to pods when the owner is at an address, and nobody to the address when it leads to pods again', async () => {
    const own = await deploy()
    await lead('own', own)
    await untilOnly(readyPods)
    await lead('inherited', elsewhere('192.0.2.7'))
    await untilOnly(async () => ['192.0.2.7'])
    await lead('own', own)
    await untilOnly(readyPods)
    expect(await addresses()).toHaveLength(1)
  })

  it('sends nobody to pods although the manager was killed between the turn to an address and forgetting them', async () => {
    await lead('own', await deploy())
    await untilOnly(readyPods)
    const [former] = await addresses()
    const namespace = world.environments.one
    const identity = { instance: world.instance, environment: namespace, namespace }
    const name: ServiceName = { service: 'orders', state: 'inherited', endpoints: elsewhere('192.0.2.7') }
    const turn = firstWriteOf(nameObjects(identity, name)[0])
    await world.api.apply(RESOURCES.service, turn, world.signal)
    expect(await addresses()).toContain(former)
    await lead('inherited', elsewhere('192.0.2.7'))
    await untilOnly(async () => ['192.0.2.7'])
    const service = await world.api.get<KubeObject>(RESOURCES.service, { namespace, name: 'orders' }, world.signal)
    expect(service.metadata.annotations).toBeUndefined()
  })
})
