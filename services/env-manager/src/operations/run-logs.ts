import { EventEmitter } from 'node:events'
import { mkdirSync } from 'node:fs'
import { appendFile, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { LogLine } from '@tributary/contract'

/** How large a run's log grows, in bytes; after that one line says that the rest was left out. */
const DEFAULT_MAX_BYTES = 2 * 1024 * 1024
const MAX_LINE_LENGTH = 8192

interface OpenLog {
  bytes: number
  full: boolean
  pending: string[]
  writing: Promise<void> | undefined
}

/**
 * Logs of runs: one JSON line for each log line, in a file for each run, bounded in size, readable while they are written.
 * Lines keep the order of {@link RunLogs.append}. A full disk loses log lines, never a run.
 */
export class RunLogs {
  readonly #open = new Map<string, OpenLog>()
  readonly #changes = new EventEmitter().setMaxListeners(0)

  constructor(
    private readonly directory: string,
    private readonly maxBytes: number = DEFAULT_MAX_BYTES,
  ) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** Begins a run's log: followers wait for its lines from now on. Idempotent. */
  open(runId: string): void {
    if (!this.#open.has(runId)) this.#begin(runId)
  }

  /** Adds a line to a run that goes on. Returns at once; {@link close} and the readers wait for the disk. */
  append(runId: string, line: LogLine): void {
    const log = this.#open.get(runId) ?? this.#begin(runId)
    if (log.full) return
    const text = encode({ ...line, text: line.text.slice(0, MAX_LINE_LENGTH) })
    log.bytes += Buffer.byteLength(text)
    log.full = log.bytes > this.maxBytes
    log.pending.push(log.full ? encode({ ...line, text: `… over ${this.maxBytes} bytes; the rest is left out` }) : text)
    log.writing ??= this.#drain(runId, log)
  }

  /** Ends a run's log: everything is on disk, followers end. */
  async close(runId: string): Promise<void> {
    await this.#open.get(runId)?.writing
    this.#open.delete(runId)
    this.#changes.emit(runId)
  }

  /** The lines so far; then, with `follow`, new ones until the run ends or `signal` aborts. */
  async *read(
    runId: string,
    options: { readonly follow: boolean; readonly signal: AbortSignal },
  ): AsyncIterable<LogLine> {
    let offset = 0
    for (;;) {
      // Listening starts before the file is read, so that no change falls between the two.
      const ended = !options.follow || !this.#open.has(runId)
      const changed = this.#nextChange(runId, options.signal)
      await this.#open.get(runId)?.writing
      const { lines, bytes } = await this.#readFrom(runId, offset)
      offset += bytes
      for (const line of lines) yield line
      if (ended || options.signal.aborted) return changed.cancel()
      await changed.promise
      if (options.signal.aborted) return
    }
  }

  /** Removes a run's log. Idempotent. */
  async remove(runId: string): Promise<void> {
    this.#open.delete(runId)
    await rm(this.#fileOf(runId), { force: true })
  }

  #begin(runId: string): OpenLog {
    const log: OpenLog = { bytes: 0, full: false, pending: [], writing: undefined }
    this.#open.set(runId, log)
    return log
  }

  async #drain(runId: string, log: OpenLog): Promise<void> {
    while (log.pending.length > 0) {
      await appendFile(this.#fileOf(runId), log.pending.splice(0).join(''), { mode: 0o600 }).catch(() => undefined)
    }
    log.writing = undefined
    this.#changes.emit(runId)
  }

  #nextChange(runId: string, signal: AbortSignal): { readonly promise: Promise<void>; readonly cancel: () => void } {
    let cancel = (): void => undefined
    const promise = new Promise<void>((resolve) => {
      cancel = () => {
        this.#changes.off(runId, cancel)
        signal.removeEventListener('abort', cancel)
        resolve()
      }
      this.#changes.once(runId, cancel)
      signal.addEventListener('abort', cancel, { once: true })
    })
    return { promise, cancel }
  }

  async #readFrom(
    runId: string,
    offset: number,
  ): Promise<{ readonly lines: readonly LogLine[]; readonly bytes: number }> {
    const file = await open(this.#fileOf(runId)).catch(() => undefined)
    if (file === undefined) return { lines: [], bytes: 0 }
    try {
      const size = (await file.stat()).size
      const { buffer } = await file.read(
        Buffer.alloc(Math.max(0, size - offset)),
        0,
        Math.max(0, size - offset),
        offset,
      )
      const whole = buffer.subarray(0, buffer.lastIndexOf(0x0a) + 1)
      return { lines: whole.toString('utf8').split('\n').flatMap(decode), bytes: whole.length }
    } finally {
      await file.close()
    }
  }

  /** Run ids are made here and hold no separator; what a request names is looked up in the store before it gets here. */
  #fileOf(runId: string): string {
    return join(this.directory, `${runId.replaceAll(/[^a-z0-9-]/g, '_')}.jsonl`)
  }
}

function encode(line: LogLine): string {
  return `${JSON.stringify(line)}\n`
}

function decode(text: string): readonly LogLine[] {
  if (text === '') return []
  try {
    return [JSON.parse(text) as LogLine]
  } catch {
    // A crash in the middle of a write leaves half a line.
    return []
  }
}
