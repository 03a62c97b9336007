/** What `connect` waits for. */
export interface StartGateOptions {
  /** Only READY or a refusal ends the wait early. */
  readonly requireReady: boolean
  readonly readyTimeoutMs: number
  /** A view from the disk is there already. */
  readonly holdsView: boolean
}

/** With a snapshot at hand, a config center that does not even refuse is waited for no longer than this. */
const SNAPSHOT_PATIENCE_MS = 1_000

/** Opens once: when the start has come to a result, or there is no point in waiting longer. */
export class StartGate {
  readonly opened: Promise<void>
  readonly #options: StartGateOptions
  readonly #timer: NodeJS.Timeout
  #open: () => void = () => undefined

  constructor(options: StartGateOptions) {
    const { requireReady, readyTimeoutMs, holdsView } = options
    this.#options = options
    this.opened = new Promise((resolve) => {
      this.#open = resolve
    })
    const patienceMs = holdsView && !requireReady ? Math.min(SNAPSHOT_PATIENCE_MS, readyTimeoutMs) : readyTimeoutMs
    this.#timer = setTimeout(() => this.#open(), patienceMs)
  }

  /** The stream is in step, or the config center refused. */
  decided(): void {
    clearTimeout(this.#timer)
    this.#open()
  }

  /** A connection failed and will be tried again: with a snapshot there is nothing better to wait for. */
  failed(): void {
    if (this.#options.holdsView && !this.#options.requireReady) this.decided()
  }
}
