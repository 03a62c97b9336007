import type { DesiredService } from '../../domain/desired-services.js'
import type { EnvironmentRecord } from '../../domain/environment-record.js'
import type { Aside, PlatformContext, Workload } from '../../ports/platform.js'
import type { EnvironmentDependencies } from '../dependencies.js'
import type { RunRecorder, StepRef } from '../run-recorder.js'
import { recordLedgerLine } from '../state/ledger.js'

/** What the steps of one run share. */
export interface RunContext {
  readonly deps: EnvironmentDependencies
  readonly run: RunRecorder
  readonly record: EnvironmentRecord
  readonly signal: AbortSignal
  /** Default: the run waits for nothing that takes long. */
  readonly aside?: Aside
  /** Values that are blacked out in the run's log; grows as secrets are made. */
  readonly secrets: Set<string>
}

/** A copy that runs and is healthy, ready to be registered. */
export interface FreshCopy {
  readonly service: DesiredService
  readonly workload: Workload
}

/** The platform's view of a step: its resources go into the ledger first, its lines into the run's log. */
export function platformContext(
  context: RunContext,
  ref: StepRef,
  signal: AbortSignal = context.signal,
): PlatformContext {
  return {
    signal,
    record: (resource) => recordThing(context, { kind: resource.kind, id: resource.id }),
    log: context.run.logOf(ref),
    ...(context.aside === undefined ? {} : { aside: context.aside }),
  }
}

/** Writes the ledger's line of a thing that is about to be made. */
export async function recordThing(
  { deps, record }: Pick<RunContext, 'deps' | 'record'>,
  thing: { readonly kind: string; readonly id: string },
): Promise<void> {
  await recordLedgerLine(deps.store, {
    environment: record.name,
    generation: record.generation,
    ...thing,
    recordedAt: new Date(deps.clock.now()).toISOString(),
  })
}
