import { isAppError, type Clock } from '@tributary/kit'

/** So much since the last fold, or more, is worth another one. */
const DUE_COMMITS = 64
const DUE_SIZE = 1024 * 1024
/** So long without a commit says that nobody waits for one. */
const IDLE_MS = 100

/** What folding needs. */
export interface LogFoldingOptions {
  readonly clock: Clock
  /** Folds the log into the file. */
  readonly fold: () => Promise<void>
  readonly onError: (error: unknown) => void
}

/**
 * Folds the write-ahead log into the file while nobody writes. SQLite does it too, within the commit that makes the log too long: that
 * write then takes several times as long as any other. A store that is never idle is left to it.
 */
export class LogFolding {
  readonly #options: LogFoldingOptions
  readonly #stopping = new AbortController()
  #commits = 0
  #size = 0
  #folding: Promise<void> | undefined

  constructor(options: LogFoldingOptions) {
    this.#options = options
  }

  /** To be called after each commit. `size`: characters of the values that it wrote. */
  noteCommit(size: number): void {
    this.#commits += 1
    this.#size += size
    if (this.#commits < DUE_COMMITS && this.#size < DUE_SIZE) return
    this.#folding ??= this.#foldWhenIdle().finally(() => (this.#folding = undefined))
  }

  /** Folds no more; resolves when the fold under way is done. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#folding
  }

  async #foldWhenIdle(): Promise<void> {
    const { clock, fold, onError } = this.#options
    const { signal } = this.#stopping
    for (let seen = 0; seen !== this.#commits;) {
      seen = this.#commits
      // Aborting only ends the sleep early; the clock has no other way to fail.
      await clock.sleep(IDLE_MS, signal).catch(() => undefined)
      if (signal.aborted) return
    }
    this.#commits = 0
    this.#size = 0
    await fold().catch((error: unknown) => {
      // On a full disk each write says so, and all is durable in the log.
      if (!isAppError(error, 'STORE_FULL')) onError(error)
    })
  }
}
