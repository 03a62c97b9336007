import type { Run } from '@tributary/contract'

/** Told what the control loop does; its methods must not throw. */
export interface ManagerObserver {
  /** A run has ended, in whatever way. */
  noteRun(run: Run): void
  /** A look at an environment failed; it is tried again. */
  noteReconcileError(): void
}
