import { BAGGAGE_HEADER } from '../messages.js'
import type { MessagingClient } from '../messaging-client.js'

/** What the adapter needs of a BullMQ job. */
export interface BullJob {
  readonly opts: object
  readonly attemptsMade: number
  readonly attemptsStarted: number
  moveToDelayed(timestamp: number, token?: string): Promise<void>
}

/** Whose jobs are worked on. */
export interface TenantProcessorOptions {
  /** The service whose owner takes the jobs. Default: the client's. */
  readonly service?: string
  /** How long a job rests before it is offered to the next worker, at first; it doubles up to `maxReofferMs`. Default 20. */
  readonly reofferMs?: number
  /** Default 1,000. */
  readonly maxReofferMs?: number
}

/** The member of a job's options that holds its baggage: BullMQ keeps what it does not know, through delays, retries and repetitions. */
const OPTION = 'tributary'

const REOFFER_MS = 20
const MAX_REOFFER_MS = 1_000

/**
 * A job's options with the routing context of the code that runs now.
 * @example queue.add('pay', { order }, inContext(client, { attempts: 3 }))
 */
export function inContext<Options extends object>(client: MessagingClient, options?: Options): Options {
  const present = readBaggage(options ?? {})
  const baggage = client.messages.baggage(present)
  const given = options ?? ({} as Options)
  return baggage === undefined ? given : { ...given, [OPTION]: { [BAGGAGE_HEADER]: baggage } }
}

/**
 * A worker's processor that works on what this process's tenant owns, in the job's routing context, and offers all else to the next worker.
 * All tenants' workers share one queue: a job is locked by one worker, which decides by the table as it is then, so no job is dropped and none
 * is taken twice when an environment comes or goes. The price is that a job may be picked up by wrong workers first. A job of a masked service
 * fails at once and for good, into BullMQ's failed set.
 * @example new Worker('payments', tenantProcessor(client, {}, async (job) => pay(job.data)), { connection })
 */
export function tenantProcessor<Job extends BullJob, Result>(
  client: MessagingClient,
  options: TenantProcessorOptions,
  process: (job: Job, token?: string, signal?: AbortSignal) => Promise<Result>,
): (job: Job, token?: string, signal?: AbortSignal) => Promise<Result> {
  const service = options.service ?? client.service ?? ''
  return async (job, token, signal) => {
    const { decision, run } = client.messages.receive(service, readBaggage(job.opts))
    if (decision.action === 'take') return run(() => process(job, token, signal))
    if (decision.action === 'park')
      throw bullError('UnrecoverableError', `nobody may handle this job: ${decision.reason}`)
    await job.moveToDelayed(Date.now() + reofferDelayMs(job, options), token)
    throw bullError('DelayedError', `not this worker's job: ${decision.reason}`)
  }
}

/** How long the job rests: `attemptsStarted` counts every pick, `attemptsMade` only those that worked on it. */
function reofferDelayMs(job: BullJob, { reofferMs, maxReofferMs }: TenantProcessorOptions): number {
  const picks = Math.max(1, job.attemptsStarted - job.attemptsMade)
  const ceiling = Math.min(maxReofferMs ?? MAX_REOFFER_MS, (reofferMs ?? REOFFER_MS) * 2 ** Math.min(picks - 1, 20))
  // Jobs that came together must not come back together.
  return Math.ceil(ceiling * (0.5 + Math.random() / 2))
}

function readBaggage(options: object): string | undefined {
  const carried: unknown = OPTION in options ? options[OPTION] : undefined
  if (typeof carried !== 'object' || carried === null || !(BAGGAGE_HEADER in carried)) return undefined
  return typeof carried[BAGGAGE_HEADER] === 'string' ? carried[BAGGAGE_HEADER] : undefined
}

/** BullMQ knows its own errors by their names too, so that the SDK need not depend on it. */
function bullError(name: 'DelayedError' | 'UnrecoverableError', message: string): Error {
  return Object.assign(new Error(message), { name })
}
