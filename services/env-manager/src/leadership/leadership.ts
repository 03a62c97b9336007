import { randomUUID } from 'node:crypto'
import { isAppError, type Clock } from '@tributary/kit'
import type { RevisionedStore, StoreLease } from '@tributary/store'
import { stateKeys } from '../operations/state/keys.js'
import { FencedStore } from './fenced-store.js'

/** Exists while somebody leads; its value says where that one is. */
export const LEADER_KEY = stateKeys.leader

/** A leader that died is replaced after this time, about. Milliseconds. */
const DEFAULT_LEASE_MS = 5_000
const RENEWALS_PER_LEASE = 4
/** How often the leader looks whether its lease may have ended. */
const CHECKS_PER_LEASE = 20
const RETRY_MS = 500

/** Who campaigns for what. */
export interface CampaignOptions {
  /** Tells this process from the others, as it is announced. Default: a random one. */
  readonly replicaId?: string
  readonly store: RevisionedStore
  readonly clock: Clock
  /** Where this process listens, for the logs of standbys. */
  readonly url: string
  /** Where clients reach it, for standbys to tell them. Default: they are told nothing. */
  readonly advertisedUrl?: string | undefined
  /** Ends the campaign; it then rejects with the signal's reason. */
  readonly signal: AbortSignal
  /** Told where the leader is, when this process has to wait for it. */
  readonly onWaiting?: (leader: LeaderAddress) => void
  /** Default 5,000. etcd has a minimum of about 2 s with its usual timing. */
  readonly leaseMs?: number
}

/** Where the leader is. */
export interface LeaderAddress {
  readonly url: string
  /** Absent: not for clients to know. */
  readonly advertisedUrl?: string
}

interface Won {
  readonly lease: StoreLease
  readonly createRevision: bigint
  /** Monotonic: the lease cannot have ended before this moment plus its time to live. */
  readonly renewedAt: number
}

/** The right of one process to reconcile and write. */
export class Leadership {
  /** Fails every write as soon as somebody else could lead. */
  readonly store: RevisionedStore
  /** Aborts when the lease may have ended, or has: end the process at once. */
  readonly lost: AbortSignal
  readonly #options: CampaignOptions
  readonly #lease: StoreLease
  readonly #ended = new AbortController()
  readonly #resigned = new AbortController()
  readonly #checks: NodeJS.Timeout
  #renewedAt: number
  #renewing: Promise<void>

  private constructor(options: CampaignOptions, { lease, createRevision, renewedAt }: Won) {
    this.#options = options
    this.#lease = lease
    this.#renewedAt = renewedAt
    this.lost = this.#ended.signal
    const onLost = (): void => this.#ended.abort()
    this.store = new FencedStore(options.store, { key: LEADER_KEY, createRevision, onLost })
    this.#checks = setInterval(() => this.#check(), lease.ttlMs / CHECKS_PER_LEASE)
    this.#renewing = this.#renewForever()
  }

  /** Resolves once this process leads. Failures of the store are waited out. */
  static async campaign(options: CampaignOptions): Promise<Leadership> {
    for (;;) {
      options.signal.throwIfAborted()
      try {
        await untilVacant(options)
        // The wait also ends with the signal.
        options.signal.throwIfAborted()
        const won = await tryToWin(options)
        if (won !== undefined) return new Leadership(options, won)
      } catch (error) {
        options.signal.throwIfAborted()
        if (!isAppError(error)) throw error
        await options.clock.sleep(RETRY_MS, options.signal)
      }
    }
  }

  /** Lets a standby take over at once. Call it when nothing of this process writes any more. */
  async resign(): Promise<void> {
    clearInterval(this.#checks)
    this.#resigned.abort()
    await this.#renewing
    // Without an answer the lease ends by itself.
    await this.#options.store.revokeLease(this.#lease.leaseId).catch(ignoreStoreFailure)
  }

  // A timer of its own: it is due in the first turn of the loop after the process was stopped for a while.
  #check(): void {
    if (this.#options.clock.monotonicMs() - this.#renewedAt >= this.#lease.ttlMs) this.#ended.abort()
  }

  async #renewForever(): Promise<void> {
    const { clock } = this.#options
    const signal = AbortSignal.any([this.#resigned.signal, this.lost])
    for (;;) {
      await clock.sleep(this.#lease.ttlMs / RENEWALS_PER_LEASE, signal).catch(() => undefined)
      if (signal.aborted) return
      // Not one after the other: a question to a member that is frozen hangs for about as long as the lease lives.
      void this.#renew()
    }
  }

  async #renew(): Promise<void> {
    const askedAt = this.#options.clock.monotonicMs()
    try {
      await this.#options.store.keepLeaseAlive(this.#lease.leaseId)
      this.#renewedAt = Math.max(this.#renewedAt, askedAt)
    } catch (error) {
      // After a resignation the lease is gone because it was given up.
      if (isAppError(error, 'STORE_LEASE_NOT_FOUND') && !this.#resigned.signal.aborted) this.#ended.abort()
      else ignoreStoreFailure(error)
    }
  }
}

/** Undefined: another one was faster. */
async function tryToWin({
  store,
  clock,
  url,
  advertisedUrl,
  leaseMs,
  replicaId,
}: CampaignOptions): Promise<Won | undefined> {
  const renewedAt = clock.monotonicMs()
  const lease = await store.grantLease(leaseMs ?? DEFAULT_LEASE_MS)
  try {
    const value = JSON.stringify({ id: replicaId ?? randomUUID(), url, advertisedUrl })
    const { succeeded } = await store.transact({
      compares: [{ select: { key: LEADER_KEY }, target: 'version', op: '=', value: 0n }],
      mutations: [{ kind: 'put', key: LEADER_KEY, value, leaseId: lease.leaseId }],
    })
    const [entry] = (await store.range({ select: { key: LEADER_KEY } })).entries
    if (succeeded && entry?.value === value) return { lease, createRevision: entry.createRevision, renewedAt }
  } catch (error) {
    // The key may be there all the same: it must not hold the place for nobody.
    await store.revokeLease(lease.leaseId).catch(ignoreStoreFailure)
    throw error
  }
  await store.revokeLease(lease.leaseId)
  return undefined
}

async function untilVacant({ store, signal, onWaiting }: CampaignOptions): Promise<void> {
  const { entries, storeRevision } = await store.range({ select: { key: LEADER_KEY } }, { signal })
  const [entry] = entries
  if (entry === undefined) return
  onWaiting?.(addressOf(entry.value))
  for await (const { events } of store.watch({ select: { key: LEADER_KEY }, after: storeRevision, signal })) {
    if (events.some(({ kind }) => kind === 'delete')) return
  }
}

function addressOf(value: string): LeaderAddress {
  const leader: unknown = JSON.parse(value)
  if (typeof leader !== 'object' || leader === null || !('url' in leader)) return { url: 'an unknown address' }
  const told = 'advertisedUrl' in leader ? { advertisedUrl: String(leader.advertisedUrl) } : {}
  return { url: String(leader.url), ...told }
}

function ignoreStoreFailure(error: unknown): void {
  if (!isAppError(error)) throw error
}
