import type { WriteNote, WriteResult } from '@tributary/contract'
import type { CommitResult } from '../operations/commit-plan.js'
import type { ConvergenceWatcher } from '../ports/convergence.js'

/** The part of a write's query that says why and how long to wait. */
export interface WriteQuery extends WriteNote {
  readonly waitMs?: number
}

/** The note that goes into history. */
export function noteOf({ reason, runId }: WriteQuery): WriteNote {
  return { ...(reason === undefined ? {} : { reason }), ...(runId === undefined ? {} : { runId }) }
}

/** How long the caller waits for subscribers, and until when it is there. */
export interface WaitRequest {
  readonly waitMs: number | undefined
  readonly signal: AbortSignal
}

/** A write's answer; with `waitMs`, after the subscribers whose view it changed have it. */
export async function writeAnswer(
  convergence: ConvergenceWatcher,
  commit: CommitResult,
  { waitMs, signal }: WaitRequest,
): Promise<WriteResult> {
  const { storeRevision, changed } = commit
  const result = { storeRevision: String(storeRevision), changed }
  if (waitMs === undefined || waitMs === 0) return result
  return { ...result, convergence: await convergence.wait({ storeRevision, timeoutMs: waitMs, signal }) }
}
