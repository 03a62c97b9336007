import { messageOf, type Diagnostics } from '../diagnostics.js'
import type { ReplicaImage } from '../stream/replica.js'
import type { SnapshotFile } from './snapshot-file.js'

/** What a {@link SnapshotWriter} needs. */
export interface SnapshotWriterOptions {
  readonly file: SnapshotFile
  /** The state to write; undefined while there is none. */
  readonly image: () => ReplicaImage | undefined
  readonly diagnostics: Diagnostics
  /** A burst of changes becomes one write this many milliseconds (or more, see the writer) after the first of them. */
  readonly delayMs: number
}

/** After a write it rests for this many times as long as the write took, so that a large and busy table costs little. */
const REST_FACTOR = 20

/** Writes the snapshot some time after a change, one write at a time. A disk that fails is a diagnostic, nothing more. */
export class SnapshotWriter {
  readonly #options: SnapshotWriterOptions
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  #lastCostMs = 0

  constructor(options: SnapshotWriterOptions) {
    this.#options = options
  }

  /** Something changed: it will be written. */
  schedule(): void {
    const delayMs = Math.max(this.#options.delayMs, this.#lastCostMs * REST_FACTOR)
    this.#timer ??= setTimeout(() => void this.#startWrite(), delayMs)
  }

  /** Writes what is still waiting and ends. Resolves when nothing is being written any more. */
  async close(): Promise<void> {
    if (this.#timer === undefined) return this.#writing
    clearTimeout(this.#timer)
    return this.#startWrite()
  }

  #startWrite(): Promise<void> {
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  async #write(): Promise<void> {
    const image = this.#options.image()
    if (image === undefined) return
    const startedAt = performance.now()
    try {
      await this.#options.file.write(image)
      this.#lastCostMs = performance.now() - startedAt
    } catch (error) {
      const where = this.#options.file.path
      this.#options.diagnostics.report('snapshot_write_failed', `cannot write ${where}: ${messageOf(error)}`, error)
    }
  }
}
