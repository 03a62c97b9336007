import type { Run } from '@tributary/contract'

/** The outcome of a deploy run, told to whoever waits for it. */
export interface RunReport {
  readonly run: Run
  readonly environment: string
  readonly branch: string
  readonly url: string
  readonly services: readonly { readonly service: string; readonly state: string; readonly url: string | null }[]
}

/** Tells people outside (a git server, a chat) about a run. A failure is logged and never fails the run. */
export interface StatusReporter {
  report(report: RunReport): Promise<void>
}
