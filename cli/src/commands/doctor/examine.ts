import {
  loadPlatformConfig,
  PLATFORM_CONFIG_FILE,
  reviewClusterAccess,
  type PlatformConfig,
} from '@tributary/env-manager'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Connection } from '../../context.js'
import type { CliRuntime } from '../../runtime.js'
import { checkCluster, type ReviewAccess } from './check-cluster.js'
import { checkPorts, probePort, type ProbePort } from './check-ports.js'
import { checkPrograms, runProgram, type RunProgram } from './check-programs.js'
import { checkServer } from './check-servers.js'
import { failed, ok, skipped, type Finding } from './finding.js'

/** What the doctor looks with; a test replaces it. */
export interface Instruments {
  readonly run: RunProgram
  readonly probePort: ProbePort
  readonly node: string
  /** Undefined: environments do not run on a cluster. */
  readonly reviewAccess: (config: PlatformConfig) => ReviewAccess | undefined
}

/** {@link Instruments} of this machine. */
export function instruments(runtime: CliRuntime): Instruments {
  return {
    run: runProgram,
    probePort,
    node: process.versions.node,
    reviewAccess: ({ instance, platform }) =>
      platform.kind === 'kubernetes'
        ? () => reviewClusterAccess({ instance, config: platform.kubernetes, signal: runtime.signal })
        : undefined,
  }
}

/** Looks at everything, and never throws because something is broken. */
export async function examine(
  runtime: CliRuntime,
  connection: Connection,
  { run, probePort: probe, node, reviewAccess }: Instruments,
): Promise<readonly Finding[]> {
  const { config, finding } = readConfiguration(runtime)
  const review = config === undefined ? undefined : reviewAccess(config)
  const asking = { fetch: runtime.fetch ?? fetch, clock: runtime.clock, signal: runtime.signal }
  const { url, envManagerUrl, token } = connection
  const servers = [
    { name: 'config center', url, token },
    { name: 'env-manager', url: envManagerUrl, token },
  ]
  const answers = await Promise.all(servers.map((server) => checkServer(server, asking)))
  const alive = servers.filter((_, index) => answers[index]?.[0]?.verdict === 'ok').map((server) => server.url ?? '')
  const isPod = runtime.env.KUBERNETES_SERVICE_HOST !== undefined
  return [
    ...(await checkPrograms({ run, node, onCluster: review !== undefined })),
    finding,
    ...(review === undefined ? [skipped('cluster', 'environments do not run on one')] : await checkCluster(review)),
    ...answers.flat(),
    ...(isPod ? [] : await checkPorts(probe, alive)),
  ]
}

function readConfiguration(runtime: CliRuntime): { readonly config?: PlatformConfig; readonly finding: Finding } {
  const check = 'configuration'
  const file = resolve(runtime.cwd, runtime.env.TRIBUTARY_CONFIG ?? PLATFORM_CONFIG_FILE)
  if (!existsSync(file)) {
    return { finding: skipped(check, `there is no ${file}; run this where the env-manager runs to check its cluster`) }
  }
  try {
    const { config } = loadPlatformConfig(file, runtime.env)
    const count = config.repositories.length
    return {
      config,
      finding: ok(
        check,
        `${file}: ${count} ${count === 1 ? 'repository' : 'repositories'}, platform ${config.platform.kind}`,
      ),
    }
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error)
    return { finding: failed(check, found, 'correct it; the env-manager does not start with it') }
  }
}
