import { failure } from '../../errors.js'
import type { OutputLog } from './output-log.js'
import type { WorkloadRecord } from './workload-record.js'
import type { WorkloadSupervisor } from './workload-supervisor.js'

/** The workloads that this process looks after, and those that are just being made. */
export class WorkloadSet {
  private readonly supervisors = new Map<string, WorkloadSupervisor>()
  private readonly preparing = new Map<string, string>()

  add(supervisor: WorkloadSupervisor): void {
    this.supervisors.set(supervisor.record.workloadId, supervisor)
  }

  delete(workloadId: string): void {
    this.supervisors.delete(workloadId)
  }

  find(workloadId: string): WorkloadSupervisor | undefined {
    return this.supervisors.get(workloadId)
  }

  /** @throws AppError `PLATFORM_WORKLOAD_NOT_FOUND` */
  get(workloadId: string): WorkloadSupervisor {
    const found = this.supervisors.get(workloadId)
    if (found === undefined)
      throw failure(
        'PLATFORM_WORKLOAD_NOT_FOUND',
        `there is no workload ${workloadId}; it was removed or never started`,
      )
    return found
  }

  /** All, or those of an environment, or of one of its services. */
  list(environment?: string, service?: string): WorkloadSupervisor[] {
    return [...this.supervisors.values()].filter(
      ({ record }) =>
        (environment === undefined || record.environment === environment) &&
        (service === undefined || record.service === service),
    )
  }

  /** Log of the service's newest copy. */
  newestLog(environment: string, service: string): OutputLog | undefined {
    const copies = this.list(environment, service)
    return copies.reduce<WorkloadSupervisor | undefined>(
      (newest, copy) => (isNewer(copy.record, newest?.record) ? copy : newest),
      undefined,
    )?.log
  }

  /** Whether a worktree is in use or about to be. */
  usesCheckout(directory: string): boolean {
    return (
      [...this.preparing.values()].includes(directory) ||
      this.list().some(({ record }) => record.checkout === directory)
    )
  }

  /** Keeps a worktree from being removed while a workload that needs it is made. */
  async whilePreparing<T>(workloadId: string, checkout: string, work: () => Promise<T>): Promise<T> {
    this.preparing.set(workloadId, checkout)
    try {
      return await work()
    } finally {
      this.preparing.delete(workloadId)
    }
  }
}

function isNewer(record: WorkloadRecord, other: WorkloadRecord | undefined): boolean {
  return other === undefined || record.startedAt >= other.startedAt
}
