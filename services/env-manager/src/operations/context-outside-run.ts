import type { EnvironmentRecord } from '../domain/environment-record.js'
import type { PlatformContext } from '../ports/platform.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { recordLedgerLineWhileThere } from './state/ledger.js'

/** The platform's view of work on an environment that is no step of its runs: it records nothing for one that is going, and says `ENVIRONMENT_TERMINATING` then. */
export function contextOutsideRun(
  { store, clock }: Pick<EnvironmentDependencies, 'store' | 'clock'>,
  { name, generation }: Pick<EnvironmentRecord, 'name' | 'generation'>,
  { signal, log }: Pick<PlatformContext, 'signal' | 'log'>,
): PlatformContext {
  return {
    signal,
    log,
    record: ({ kind, id }) =>
      recordLedgerLineWhileThere(store, {
        environment: name,
        generation,
        kind,
        id,
        recordedAt: new Date(clock.now()).toISOString(),
      }),
  }
}
