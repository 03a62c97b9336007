import type { WriteNote, WriteResult } from '@tributary/contract'
import type { FastifyReply } from 'fastify'
import type { CheckedCommitResult } from '../operations/commit-changes.js'
import type { ConvergenceWatcher } from '../ports/convergence.js'
import { clientGone } from './client-gone.js'

/** The part of a write's query that says why and how long to wait. */
export interface WriteQuery extends WriteNote {
  readonly waitMs?: number
}

/** The note that goes into history. */
export function noteOf({ reason, runId }: WriteQuery): WriteNote {
  return { ...(reason === undefined ? {} : { reason }), ...(runId === undefined ? {} : { runId }) }
}

/** What a write's answer waits for. */
export interface WaitRequest {
  readonly waitMs: number | undefined
  /** Nobody waits for a client that has gone. */
  readonly reply: FastifyReply
}

/** A write's answer; with `waitMs`, after the subscribers whose view it changed have it. */
export async function writeAnswer(
  convergence: ConvergenceWatcher,
  commit: CheckedCommitResult,
  { waitMs, reply }: WaitRequest,
): Promise<WriteResult> {
  const { storeRevision, changed, warnings } = commit
  const told = warnings.length === 0 ? {} : { warnings: [...warnings] }
  const result = { storeRevision: String(storeRevision), changed, ...told }
  if (waitMs === undefined || waitMs === 0) return result
  const signal = clientGone(reply)
  return { ...result, convergence: await convergence.wait({ storeRevision, timeoutMs: waitMs, signal }) }
}
