import { failure } from '../../errors.js'
import type { PlatformContext, WorkloadSpec } from '../../ports/platform.js'
import { runBuild } from './build-command.js'
import type { LocalParts } from './local-parts.js'
import { processEnvironment } from './workload-environment.js'
import { newRecord, planWorkload, type WorkloadPlan } from './workload-plan.js'
import type { WorkloadRecord } from './workload-record.js'
import type { WorkloadSupervisor } from './workload-supervisor.js'
import { discardWorkload, removeCheckoutIfUnused } from './retire-workloads.js'

/**
 * Brings up the copy that the spec describes: worktree, build, process. Each is announced before it is made, and when one fails
 * nothing of the copy is left.
 */
export async function deployWorkload(
  parts: LocalParts,
  spec: WorkloadSpec,
  context: PlatformContext,
): Promise<WorkloadSupervisor> {
  const plan = planWorkload(spec)
  const existing = parts.workloads.find(plan.workloadId)
  if (existing !== undefined && !existing.hasGivenUp) return existing
  if (existing !== undefined) await discardWorkload(parts, existing, context.signal)
  const checkout = parts.checkouts.directoryOf(spec)
  try {
    return await parts.workloads.whilePreparing(plan.workloadId, checkout, async () => {
      await context.record({ kind: 'worktree', id: checkout, environment: spec.environment })
      await parts.checkouts.ensure(spec)
      assertWanted(spec, context.signal)
      return startCopy({ parts, spec, plan, context, checkout })
    })
  } catch (error) {
    await removeCheckoutIfUnused(parts, checkout).catch((cleanup: unknown) =>
      context.log(`cleaning up failed: ${String(cleanup)}`),
    )
    throw error
  }
}

interface Copy {
  readonly parts: LocalParts
  readonly spec: WorkloadSpec
  readonly plan: WorkloadPlan
  readonly context: PlatformContext
  readonly checkout: string
}

async function startCopy(copy: Copy): Promise<WorkloadSupervisor> {
  const { parts, spec, plan, context, checkout } = copy
  const workingDirectory = await parts.checkouts.workingDirectory(spec)
  const ports = await parts.ports.reserve(plan.ports.length)
  const startedAt = parts.clock.now()
  const snapshots = parts.layout.snapshots(spec.environment, spec.service)
  const record = {
    ...newRecord(spec, plan, { instance: parts.instance, checkout, snapshots, ports, startedAt }),
    workingDirectory,
  }
  const supervisor = parts.supervise(record)
  try {
    await context.record({ kind: 'process', id: record.marker, environment: spec.environment })
    parts.workloads.add(supervisor)
    await parts.files.save(record)
    await build(copy, record)
    assertWanted(spec, context.signal)
    await supervisor.launch()
    context.log(`started ${plan.command.join(' ')} on port ${ports.join(', ')} (log: ${supervisor.log.path})`)
    return supervisor
  } catch (error) {
    await discardWorkload(parts, supervisor).catch((cleanup: unknown) =>
      context.log(`cleaning up failed: ${String(cleanup)}`),
    )
    throw error
  }
}

async function build({ parts, spec, plan, context }: Copy, record: WorkloadRecord): Promise<void> {
  const command = plan.build
  if (command === undefined) return
  const { host, clock, table } = parts
  await parts.checkouts.buildOnce(spec, command, async () => {
    context.log(`building: ${command.join(' ')}`)
    await runBuild({
      what: `${spec.service} at ${spec.commitSha.slice(0, 8)}`,
      command,
      workingDirectory: record.workingDirectory,
      environment: processEnvironment({ host, variables: buildVariables(spec), endpoints: [], marker: record.marker }),
      marker: record.marker,
      timeoutMs: parts.buildTimeoutMs,
      signal: context.signal,
      log: context.log,
      table,
      clock,
    })
  })
}

/** Only what the definition says: a build is shared by all copies of the commit, so no copy's token or secrets may get into it. */
function buildVariables(spec: WorkloadSpec): Record<string, string> {
  return { ...spec.definition.run?.local?.env, TRIBUTARY_VERSION: spec.version, TRIBUTARY_COMMIT: spec.commitSha }
}

function assertWanted(spec: WorkloadSpec, signal: AbortSignal): void {
  if (signal.aborted) {
    throw failure(
      'PLATFORM_CANCELED',
      `starting ${spec.service} in ${spec.environment} was stopped: it is no longer wanted`,
      { cause: signal.reason },
    )
  }
}
