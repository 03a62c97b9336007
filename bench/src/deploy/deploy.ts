import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { repositoryRoot, testImage } from '@tributary/testkit'
import { quantile, type Figure } from '../result.js'
import { BenchCluster, type NamespaceUsage } from './bench-cluster.js'
import { BenchRepository } from './bench-repository.js'
import { DeploySystem, type Deployed } from './deploy-system.js'
import { timelineFigures } from './deploy-timeline.js'

const ROUNDS = 10
const SERVICES = Array.from({ length: 11 }, (_, index) => `service-${index}`)
const [FIRST = ''] = SERVICES
const PREFIX = 'helm-bench-'
const ONE = 'one'
const FRESH = 'fresh'
const ALL = 'all'
const INTEGRATION = 'integration'
const PEER = `${PREFIX}peer`
const USAGE_MS = 60_000
const SERVER = `process.on('SIGTERM', () => process.exit(0))
require('node:http').createServer((_, response) => response.end('hello')).listen(8080, '0.0.0.0')`
/** Both sides: the image cannot be pulled, and nobody is served who would have to be let go. */
const VALUES = { image: { pullPolicy: 'Never' }, terminationGracePeriodSeconds: 2, drainSeconds: 0 }

/** Deploys to a real cluster: the env-manager beside the bare helm, and an environment of one service beside a copy of all. */
export async function deploy(): Promise<Figure[]> {
  if (process.env['TRIBUTARY_TEST_KUBECONFIG'] === undefined) {
    process.stderr.write('deploy: not measured: set TRIBUTARY_TEST_KUBECONFIG to a cluster that may be used for it\n')
    return []
  }
  const cluster = await BenchCluster.open()
  const folder = await mkdtemp(path.join(tmpdir(), 'tributary-bench-'))
  try {
    const image = await testImage({
      name: 'tributary-bench',
      files: { 'server.cjs': SERVER },
      command: ['/app/server.cjs'],
    })
    const repository = await BenchRepository.create(folder, SERVICES, image)
    await using system = await DeploySystem.start({
      cluster,
      repositoryUrl: repository.url,
      namespacePrefix: PREFIX,
      values: VALUES,
    })
    const bench = { cluster, repository, system, image }
    return [...(await besideHelm(bench)), ...(await besideCopy(bench))]
  } finally {
    const made = [ONE, FRESH, ALL, INTEGRATION].map((environment) => `${PREFIX}${environment}`)
    await Promise.all([...made, PEER].map((namespace) => cluster.remove(namespace)))
    await rm(folder, { recursive: true, force: true })
  }
}

interface Bench {
  readonly cluster: BenchCluster
  readonly repository: BenchRepository
  readonly system: DeploySystem
  readonly image: string
}

/** An upgrade of a service that runs: from the hint to ready, in turn with the same chart by helm alone. */
async function besideHelm({ cluster, repository, system, image }: Bench): Promise<Figure[]> {
  await cluster.kubectl('create', 'namespace', PEER)
  const ours = async (): Promise<Deployed> => system.deploy(ONE, [FIRST], await repository.push(ONE, [FIRST]))
  let round = 0
  const peer = (): Promise<number> => helmAlone(cluster, image, (round += 1))
  // The first of each also makes the integration environment, the namespace and the first pods.
  await ours()
  await peer()
  const deployed: Deployed[] = []
  const peers: number[] = []
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    if (turn % 2 === 0) deployed.push(await ours())
    peers.push(await peer())
    if (turn % 2 === 1) deployed.push(await ours())
  }
  const times = deployed.map(({ ms }) => ms)
  const name = (what: string): string => `upgrade of a service, ${ROUNDS} in turn, ${what}`
  const beside = (q: number) => ({ name: 'helm upgrade --install --wait', value: quantile(peers, q) / 1000 })
  return [
    {
      name: name('p50'),
      value: quantile(times, 0.5) / 1000,
      unit: 's',
      peer: beside(0.5),
      target: { text: '<= 1.15 x', holds: (_value, ratio) => ratio !== null && ratio <= 1.15 },
    },
    { name: name('worst'), value: quantile(times, 1) / 1000, unit: 's', peer: beside(1) },
    ...timelineFigures(deployed.map(({ timeline }) => timeline)),
  ]
}

/** What a careful person would run by hand: milliseconds until it returns. */
async function helmAlone(cluster: BenchCluster, image: string, round: number): Promise<number> {
  const [repository, tag] = image.split(':')
  const values = {
    ...VALUES,
    image: { ...VALUES.image, repository, tag },
    health: { readiness: '/' },
    podAnnotations: { round: String(round) },
  }
  const chart = path.join(repositoryRoot, 'charts/service')
  const startedAt = performance.now()
  const args = ['upgrade', '--install', '--wait', '--timeout=3m', `--namespace=${PEER}`, '-f', '-', '--', FIRST, chart]
  await cluster.helm(args, JSON.stringify(values))
  return performance.now() - startedAt
}

/** A branch that changes one service beside one that changes all: what a preview would be without a shared base. */
async function besideCopy({ cluster, repository, system }: Bench): Promise<Figure[]> {
  const time = async (branch: string, services: readonly string[]): Promise<number> =>
    (await system.deploy(branch, services, await repository.push(branch, services))).ms
  const one = { seconds: (await time(FRESH, [FIRST])) / 1000, ...(await usageOf(cluster, `${PREFIX}${FRESH}`)) }
  const all = { seconds: (await time(ALL, SERVICES)) / 1000, ...(await usageOf(cluster, `${PREFIX}${ALL}`)) }
  const peer = 'a copy of all 11'
  const figure = (what: string, key: 'seconds' | 'pods' | 'memoryBytes', unit: string, scale = 1): Figure => ({
    name: `new environment of 1 of 11 services, ${what}`,
    value: one[key] / scale,
    unit,
    peer: { name: peer, value: all[key] / scale },
    target: { text: '< 1 x', holds: (_value, ratio) => ratio !== null && ratio < 1 },
  })
  return [
    figure('ready after', 'seconds', 's'),
    figure('pods', 'pods', 'pods'),
    figure('memory', 'memoryBytes', 'MB', 1e6),
  ]
}

async function usageOf(cluster: BenchCluster, namespace: string): Promise<NamespaceUsage> {
  const deadline = performance.now() + USAGE_MS
  for (;;) {
    const usage = await cluster.usageOf(namespace)
    if (usage !== undefined) return usage
    if (performance.now() > deadline) throw new Error(`the kubelets do not tell the memory of the pods in ${namespace}`)
    await sleep(500)
  }
}
