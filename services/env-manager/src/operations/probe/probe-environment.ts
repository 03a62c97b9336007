import type { ProbedEdge, ProbeReport, Topology } from '@tributary/contract'
import { signContext } from '@tributary/contract/context-token'
import PQueue from 'p-queue'
import { judgeProbe, planProbes, withLeaks, type PlannedProbe } from '../../domain/probe.js'
import { failure } from '../../errors.js'
import type { EnvironmentDependencies } from '../dependencies.js'
import { readContextKeys } from '../state/secret-vault.js'
import { readTopology } from '../topology/read-topology.js'
import { sendProbe } from './send-probe.js'

type ProbeDependencies = Parameters<typeof readTopology>[0] & Pick<EnvironmentDependencies, 'clock'>

/** How a probe is done. */
export interface ProbeOptions {
  /** Leaks of real calls that were seen within this time count; 0: none does. */
  readonly leakSeconds: number
  readonly signal: AbortSignal
}

const TOKEN_SECONDS = 60
const CONCURRENCY = 4

/**
 * Sends a synthetic request through every declared edge of an environment, and says which of them carry it. Services answer through the
 * SDK's middleware without running code of their own, so leaks that real calls left lately count beside it.
 * @throws AppError `ENVIRONMENT_NOT_FOUND`, `NOTHING_TO_PROBE`, and as the config center
 */
export async function probeEnvironment(
  deps: ProbeDependencies,
  name: string,
  { leakSeconds, signal }: ProbeOptions,
): Promise<ProbeReport> {
  const topology = await readTopology(deps, name)
  const planned = planProbes(topology)
  if (planned.length === 0) {
    throw failure(
      'NOTHING_TO_PROBE',
      `Probing ${name}: no service that is there declares whom it calls (\`dependsOn\`)`,
    )
  }
  const token = await probeToken(deps, name)
  const queue = new PQueue({ concurrency: CONCURRENCY })
  const judged = await Promise.all(
    planned.map((probe) => queue.add(() => probeEdge(probe, { platform: deps.platform, topology, token, signal }))),
  )
  const since = deps.clock.now() - leakSeconds * 1_000
  const leaks = topology.leaks.filter(({ lastSeenAt }) => Date.parse(lastSeenAt) > since)
  const edges = withLeaks(inOrder(judged), leaks)
  return {
    environment: name,
    holds: leaks.length === 0 && edges.every(({ result }) => result === 'carried'),
    edges,
    leaks,
  }
}

interface Probing {
  readonly platform: EnvironmentDependencies['platform']
  readonly topology: Topology
  readonly token: string
  readonly signal: AbortSignal
}

async function probeEdge(
  probe: PlannedProbe,
  { platform, topology, token, signal }: Probing,
): Promise<readonly [ProbedEdge, ProbedEdge]> {
  const { environment, nodes } = topology
  const [endpoint] = nodes.find(({ service }) => service === probe.from)?.endpoints ?? []
  const outcome =
    endpoint === undefined
      ? { error: 'it has no address' }
      : await sendProbe({ environment, endpoint: await platform.locate(endpoint), token, path: [probe.to], signal })
  return judgeProbe(probe, outcome, { environment, nodes })
}

/** The way into each caller once, then the edges. */
function inOrder(judged: readonly (readonly [ProbedEdge, ProbedEdge])[]): ProbedEdge[] {
  const entries = new Map(judged.map(([entry]) => [entry.to, entry]))
  return [...entries.values(), ...judged.map(([, edge]) => edge)]
}

async function probeToken({ store, clock }: ProbeDependencies, name: string): Promise<string> {
  const issuedAt = Math.floor(clock.now() / 1_000)
  const claims = { tenant: name, issuedAt, expiresAt: issuedAt + TOKEN_SECONDS, avoidsBaseline: false }
  return signContext(await readContextKeys(store), claims, { purpose: 'probe' })
}
