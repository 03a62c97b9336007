import { failure } from '../errors.js'
import type { VouchedWorkload, WorkloadIdentity, WorkloadVerdict } from '../ports/workload-identity.js'

/** A platform in memory: tokens are `w.<name>.x`, and what it says of each is what a test has set. */
export class FakeWorkloadIdentity implements WorkloadIdentity {
  readonly workloads = new Map<string, VouchedWorkload>()
  readonly #listeners = new Set<(space: string) => void>()
  reviews = 0
  isDown = false
  /** Runs after a verdict is made and before it is given. */
  beforeAnswer: () => void | Promise<void> = () => undefined

  recognizes(token: string): boolean {
    return token.startsWith('w.')
  }

  async review(token: string): Promise<WorkloadVerdict> {
    this.reviews += 1
    if (this.isDown) throw failure('WORKLOAD_IDENTITY_UNAVAILABLE', 'The platform is down.')
    const workload = this.workloads.get(token)
    await this.beforeAnswer()
    return workload === undefined ? { kind: 'refused', reason: 'nobody knows it' } : { kind: 'workload', workload }
  }

  onSpaceGone(listener: (space: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  start(): void {
    this.isDown = false
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }

  /** A token of a pod of `tenant`. */
  add(tenant: string, more: Partial<VouchedWorkload> = {}): string {
    const workloadId = more.workloadId ?? `pod-${tenant}`
    const times = { issuedAt: 0, expiresAt: Number.MAX_SAFE_INTEGER }
    const workload: VouchedWorkload = {
      name: `pod of ${tenant}`,
      role: 'tenant',
      tenant,
      space: tenant,
      ...times,
      ...more,
      workloadId,
    }
    const token = `w.${workloadId}.${this.workloads.size}`
    this.workloads.set(token, workload)
    return token
  }

  /** The space and its workloads go. */
  removeSpace(space: string): void {
    for (const [token, workload] of this.workloads) if (workload.space === space) this.workloads.delete(token)
    for (const listener of this.#listeners) listener(space)
  }
}
