import type { EnvironmentRecord } from '../domain/environment-record.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { abandonDeploy } from './deploy/end-deploy.js'
import type { RunContext } from './deploy/deploy-context.js'
import { STOP_STEPS, stopServices } from './deploy/stop-services.js'
import { RunRecorder } from './run-recorder.js'
import { updateEnvironment } from './state/environments.js'

/** Which services are to be stopped, and until when that may be ended. */
export interface SleepRequest {
  readonly record: EnvironmentRecord
  readonly services: readonly string[]
  /** Aborts when the environment is woken, pushed to or torn down meanwhile, or the manager stops. */
  readonly signal: AbortSignal
}

/** One run that stops an environment's services. Its config, tenant, secrets and address stay. Idempotent. */
export async function putToSleep(
  deps: EnvironmentDependencies,
  { record, services, signal }: SleepRequest,
): Promise<void> {
  const run = await RunRecorder.begin(deps, record, {
    kind: 'sleep',
    trigger: record.asleep?.reason === 'idle' ? 'idle' : 'request',
    commits: [],
    steps: STOP_STEPS.map((name) => ({ name })),
    secrets: () => [],
  })
  const context: RunContext = { deps, run, record, signal, secrets: new Set() }
  try {
    await stopServices(context, services)
    signal.throwIfAborted()
    await finish(context)
  } catch (error) {
    await abandonDeploy(context, signal.aborted ? signal.reason : error)
    throw signal.aborted ? signal.reason : error
  } finally {
    await run.close()
  }
}

async function finish({ deps, run, record }: RunContext): Promise<void> {
  const { runId } = await run.ended('succeeded', undefined)
  await updateEnvironment(deps.store, record.name, (current) => ({
    record: { ...current, currentRunId: null, lastRunId: runId },
    alongside: { mutations: run.mutations() },
  }))
}
