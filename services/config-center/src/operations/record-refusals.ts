import type { RefusalBook } from '../audit/refusal-book.js'
import { recordIn, SYSTEM_HISTORIES } from '../domain/system-history.js'
import { commitPlan } from './commit-plan.js'
import type { OperationContext } from './operation-context.js'

/** Longest that a refused attempt is only in memory, milliseconds; also the least time between two records of a replica. */
const INTERVAL_MS = 10_000

/** Where refusals come from, and until when they are recorded. */
export interface RefusalRecorder {
  readonly book: RefusalBook
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
  readonly intervalMs?: number
}

/**
 * Records refused attempts until `signal` aborts, at most one record in each interval: a flood of them is no flood of writes. What could
 * not be recorded is told to `onError` and let go.
 */
export async function keepRefusalsRecorded(context: OperationContext, recorder: RefusalRecorder): Promise<void> {
  const { signal, onError, intervalMs = INTERVAL_MS } = recorder
  while (!signal.aborted) {
    await context.clock.sleep(intervalMs, signal).catch(() => undefined)
    await recordRefusals(context, recorder.book).catch(onError)
  }
}

/** Records what the book has now, if it has something. @throws AppError as `commitPlan` */
export async function recordRefusals(context: OperationContext, book: RefusalBook): Promise<void> {
  if (book.isEmpty) return
  const { attempts, uncounted } = book.take()
  const record = {
    at: context.clock.now(),
    actor: 'config center',
    changes: [],
    refused: attempts,
    ...(uncounted === 0 ? {} : { uncounted }),
  }
  await commitPlan(context, {
    tenants: [SYSTEM_HISTORIES.refused],
    plan: (catalog) => recordIn(catalog, SYSTEM_HISTORIES.refused, record),
  })
}
