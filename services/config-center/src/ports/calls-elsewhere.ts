import type { ObservedLeak } from '@tributary/contract'
import type { ReplicaCalls } from '../calls/replica-calls.js'

/** What the other replicas said, and how many did not answer. */
export interface FromOthers<T> {
  readonly answers: readonly T[]
  readonly unanswered: number
}

/** What other replicas were told about calls. Counts are worth having without those of a replica that does not answer. */
export interface CallsElsewhere {
  calls(tenant: string): Promise<FromOthers<ReplicaCalls>>
  leaks(maxAgeMs: number): Promise<FromOthers<readonly ObservedLeak[]>>
}
