import { createHash } from 'node:crypto'
import type { Clock } from '@tributary/kit'
import type { Principal } from '../domain/access.js'
import { failure } from '../errors.js'
import type { VouchedWorkload, WorkloadIdentity, WorkloadVerdict } from '../ports/workload-identity.js'

/** Longest time that an answer of the platform is trusted, milliseconds. */
const ACCEPTED_FOR_MS = 60_000
/** A pod may be asked about a moment before the platform knows its namespace's labels. */
const REFUSED_FOR_MS = 5_000
/** Answers that are remembered; beyond them the oldest is forgotten. */
const MAX_REMEMBERED = 20_000
/** Questions to the platform at a time, and those that may wait. */
const MAX_ASKING = 16
const MAX_WAITING = 2_000
/** Of a space that goes again and again while its workload is asked about. */
const MAX_REVIEWS = 3

/** Why a workload's rights end: the platform took them away, or the token that proved them is old. */
export type WorkloadEnd = 'token_revoked' | 'token_expired'

/** What came of a question to the platform. */
export const REVIEW_RESULTS = ['accepted', 'refused', 'unavailable'] as const
export type ReviewResult = (typeof REVIEW_RESULTS)[number]

/** What {@link WorkloadTokens} needs. */
export interface WorkloadTokensOptions {
  readonly identity: WorkloadIdentity
  readonly clock: Clock
  readonly onReview?: (result: ReviewResult) => void
}

interface Remembered {
  readonly verdict: WorkloadVerdict
  /** Monotonic: a clock that is set back must not make it last longer. */
  readonly untilMs: number
}

/**
 * Tokens of workloads that the platform vouches for: its answers, remembered for a minute at most, and who may have a stream because of them. A
 * platform that does not answer refuses (503); nobody gets in meanwhile but those it accepted within the last minute.
 */
export class WorkloadTokens {
  readonly #identity: WorkloadIdentity
  readonly #clock: Clock
  readonly #onReview: (result: ReviewResult) => void
  /** By the token's hash: tokens themselves are kept nowhere. */
  readonly #answers = new Map<string, Remembered>()
  readonly #asking = new Map<string, Promise<WorkloadVerdict>>()
  readonly #live = new Map<string, VouchedWorkload>()
  readonly #listeners = new Set<(tokenId: string, end: WorkloadEnd) => void>()
  readonly #waiting: (() => void)[] = []
  readonly #stopListening: () => void
  /** For each review under way, the spaces that have gone since it began. */
  readonly #reviews = new Set<Set<string>>()
  #slots = MAX_ASKING

  constructor({ identity, clock, onReview }: WorkloadTokensOptions) {
    this.#identity = identity
    this.#clock = clock
    this.#onReview = onReview ?? (() => undefined)
    this.#stopListening = identity.onSpaceGone((space) => this.#forgetSpace(space))
  }

  /** Whether the token is one for {@link authenticate}; all others are ours. */
  recognizes(token: string): boolean {
    return this.#identity.recognizes(token)
  }

  /**
   * Whose token it is. Concurrent callers with one token share one question.
   * @throws AppError `UNAUTHENTICATED` with the platform's reason; `WORKLOAD_IDENTITY_UNAVAILABLE`
   */
  async authenticate(token: string): Promise<Principal> {
    const hash = createHash('sha256').update(token).digest('base64')
    const known = this.#answers.get(hash)
    const verdict = known !== undefined && this.#isFresh(known) ? known.verdict : await this.#ask(hash, token)
    if (verdict.kind === 'workload') return principalOf(verdict.workload)
    throw failure('UNAUTHENTICATED', `The workload's token is not accepted: ${verdict.reason}.`)
  }

  /** The workload that was accepted under this id, until its space goes or its newest token has expired. */
  find(tokenId: string): VouchedWorkload | undefined {
    return this.#live.get(tokenId)
  }

  /** Calls `listener` synchronously for each workload whose rights end from now on. Returns how to stop that. */
  onEnded(listener: (tokenId: string, end: WorkloadEnd) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends the workloads whose newest known token has expired by `now` (epoch milliseconds), and forgets old answers. */
  announceExpired(now: number): void {
    for (const [hash, answer] of this.#answers) if (!this.#isFresh(answer)) this.#answers.delete(hash)
    for (const [id, { expiresAt }] of this.#live) if (expiresAt <= now) this.#end(id, 'token_expired')
  }

  /** Begins to follow the platform. */
  start(): void {
    this.#identity.start()
  }

  /** Stops following the platform. */
  async close(): Promise<void> {
    this.#stopListening()
    await this.#identity.close()
  }

  #ask(hash: string, token: string): Promise<WorkloadVerdict> {
    const asking = this.#asking.get(hash)
    if (asking !== undefined) return asking
    const answer = this.#inTurn(() => this.#review(hash, token)).finally(() => this.#asking.delete(hash))
    this.#asking.set(hash, answer)
    return answer
  }

  async #review(hash: string, token: string): Promise<WorkloadVerdict> {
    try {
      const verdict = await this.#settledReview(token)
      this.#onReview(verdict.kind === 'workload' ? 'accepted' : 'refused')
      this.#remember(hash, verdict)
      return verdict
    } catch (error) {
      this.#onReview('unavailable')
      throw error
    }
  }

  /** An answer given while the workload's space went may be about the time before: it is asked for again. */
  async #settledReview(token: string): Promise<WorkloadVerdict> {
    const gone = new Set<string>()
    this.#reviews.add(gone)
    try {
      for (let round = 0; round < MAX_REVIEWS; round++) {
        gone.clear()
        const verdict = await this.#identity.review(token)
        if (verdict.kind === 'refused' || verdict.workload.space === undefined) return verdict
        if (!gone.has(verdict.workload.space)) return verdict
      }
      return { kind: 'refused', reason: 'its namespace comes and goes' }
    } finally {
      this.#reviews.delete(gone)
    }
  }

  /** The end of a token is an instant of the calendar; how long an answer is trusted is a duration. */
  #isFresh({ verdict, untilMs }: Remembered): boolean {
    if (this.#clock.monotonicMs() >= untilMs) return false
    return verdict.kind === 'refused' || this.#clock.now() < verdict.workload.expiresAt
  }

  #remember(hash: string, verdict: WorkloadVerdict): void {
    const now = this.#clock.monotonicMs()
    const oldest = this.#answers.size < MAX_REMEMBERED ? undefined : this.#answers.keys().next().value
    if (oldest !== undefined) this.#answers.delete(oldest)
    if (verdict.kind === 'refused') {
      this.#answers.set(hash, { verdict, untilMs: now + REFUSED_FOR_MS })
      return
    }
    const { workload } = verdict
    this.#answers.set(hash, { verdict, untilMs: now + ACCEPTED_FOR_MS })
    const before = this.#live.get(workload.workloadId)
    // An older token of the same workload must not bring its end nearer.
    if (before === undefined || before.expiresAt < workload.expiresAt) this.#live.set(workload.workloadId, workload)
  }

  #forgetSpace(space: string): void {
    for (const gone of this.#reviews) gone.add(space)
    for (const [hash, { verdict }] of this.#answers) {
      if (verdict.kind === 'workload' && verdict.workload.space === space) this.#answers.delete(hash)
    }
    for (const [id, workload] of this.#live) if (workload.space === space) this.#end(id, 'token_revoked')
  }

  #end(tokenId: string, end: WorkloadEnd): void {
    this.#live.delete(tokenId)
    for (const listener of this.#listeners) listener(tokenId, end)
  }

  /** Bounds the questions at a time: a thousand pods that come back together must not be a flood for the platform. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#slots > 0) this.#slots -= 1
    else if (this.#waiting.length >= MAX_WAITING) {
      throw failure('WORKLOAD_IDENTITY_UNAVAILABLE', 'Too many workloads wait to be identified; try again.')
    } else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#slots += 1
      else next()
    }
  }
}

function principalOf({ workloadId, name, role, tenant, expiresAt }: VouchedWorkload): Principal {
  return { tokenId: workloadId, name, role, ...(tenant === undefined ? {} : { tenant }), expiresAt }
}
