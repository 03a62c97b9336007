import type { AppliedReport } from '@tributary/contract'

/** What has been applied, to be told to the config center. */
export interface AppliedState {
  readonly subscriptionId: string
  readonly report: AppliedReport
}

/** What an {@link AppliedReporter} needs. */
export interface AppliedReporterOptions {
  /** The newest state once all handlers have settled; undefined when there is no subscription to report on. */
  readonly settle: () => Promise<AppliedState | undefined>
  /** Sends one report, unless it is `superseded` before it gets through; answers whether it did. Never rejects. */
  readonly send: (state: AppliedState, superseded: () => boolean) => Promise<boolean>
}

/** Sends reports one at a time; what happens meanwhile becomes one further report of the newest state. */
export class AppliedReporter {
  readonly #options: AppliedReporterOptions
  #wanted = false
  #running: Promise<void> | undefined
  #sent = ''

  constructor(options: AppliedReporterOptions) {
    this.#options = options
  }

  /** The applied state may have changed. Handlers run before this returns, as far as they are synchronous. */
  request(): void {
    this.#wanted = true
    this.#running ??= this.#run()
  }

  /** Resolves when no report is on its way. */
  idle(): Promise<void> {
    return this.#running ?? Promise.resolve()
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      this.#wanted = false
      const state = await this.#options.settle()
      if (state !== undefined) await this.#send(state)
    }
    this.#running = undefined
  }

  async #send(state: AppliedState): Promise<void> {
    const text = JSON.stringify(state)
    if (text === this.#sent) return
    // What did not get through is not owed, since a report is about the present; but an equal state is then sent again.
    const sent = await this.#options.send(state, () => this.#wanted)
    this.#sent = sent ? text : ''
  }
}
