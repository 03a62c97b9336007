import type { TokenRole } from '@tributary/contract'

/** A running workload that the platform vouches for. */
export interface VouchedWorkload {
  /** Never given to another workload, and the same in each token of this one. */
  readonly workloadId: string
  /** For people, in history: `pod orders-7c4d of feature-x`. */
  readonly name: string
  readonly role: TokenRole
  /** There for, and only for, the role `tenant`. */
  readonly tenant?: string
  /** Whose end ends the workload's rights: {@link WorkloadIdentity.onSpaceGone}. Absent: nothing but the token's expiry does. */
  readonly space?: string
  /** Epoch milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
}

/** What a platform says of a token. `reason` is for the one who sent it, and holds nothing of the token. */
export type WorkloadVerdict =
  | { readonly kind: 'workload'; readonly workload: VouchedWorkload }
  | { readonly kind: 'refused'; readonly reason: string }

/** The platform that runs workloads and gives them tokens of their own (docs/adr/0008). */
export interface WorkloadIdentity {
  /** Whether a bearer token has the form of a workload's. Asks nobody. */
  recognizes(token: string): boolean
  /**
   * Asks the platform whose token it is, now.
   * @throws AppError `WORKLOAD_IDENTITY_UNAVAILABLE`: the platform does not answer, or does not let us ask.
   */
  review(token: string): Promise<WorkloadVerdict>
  /** Calls `listener` synchronously when a space has gone or is none of ours any more. Returns how to stop that. */
  onSpaceGone(listener: (space: string) => void): () => void
  /** Begins to watch spaces; does not wait for the platform. Call once. */
  start(): void
  /** Stops watching. Idempotent. */
  close(): Promise<void>
}
