import type { Run, RunStep } from '@tributary/contract'

/** The newest run of the same kind and environment that succeeded before this one began; undefined: there is none. */
export function lastGoodBefore(run: Run, runs: readonly Run[]): Run | undefined {
  return runs
    .filter(
      (other) =>
        other.runId !== run.runId &&
        other.kind === run.kind &&
        other.environment === run.environment &&
        other.state === 'succeeded' &&
        other.startedAt < run.startedAt,
    )
    .sort((left, right) => (left.startedAt < right.startedAt ? 1 : -1))[0]
}

/** The same step of another run; undefined: it had none. */
export function sameStep(step: RunStep, other: Run | undefined): RunStep | undefined {
  return other?.steps.find(({ name, service }) => name === step.name && service === step.service)
}
