import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, stat, truncate, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { KeyedMutex } from '@tributary/kit'
import { splitLines } from './line-splitter.js'

/** Default bound of a log file. With the part kept from before, a workload's logs take at most twice this, but for a burst between two checks. */
export const DEFAULT_MAX_LOG_BYTES = 5 * 1024 * 1024

const READ_BYTES = 256 * 1024
const MAX_TAIL_BYTES = 8 * 1024 * 1024

/** Bytes of a log and the position after them. */
export interface LogChunk {
  readonly bytes: Buffer
  readonly next: number
}

/**
 * The file that a process prints into. The process holds the file itself, opened for appending, so nothing is lost when the manager dies.
 * The file is bounded by moving its end to `<path>.1` and truncating it; what is printed in the instant between the two is lost.
 * Positions count bytes since the log began and stay valid across that.
 */
export class OutputLog {
  private readonly lock = new KeyedMutex()
  /** Position of the file's first byte; undefined until it was looked at. */
  private base: number | undefined
  private previousBytes = 0

  constructor(
    readonly path: string,
    private readonly maxBytes: number = DEFAULT_MAX_LOG_BYTES,
  ) {}

  /** A handle that a child process can inherit. The caller closes its own. */
  async openForAppending(): Promise<FileHandle> {
    return open(this.path, 'a', 0o600)
  }

  /** Position after the last byte. */
  async end(): Promise<number> {
    return (await this.begin()) + (await sizeOf(this.path))
  }

  /** Bounds the file. Cheap when there is nothing to do. */
  async rotateIfLarge(): Promise<void> {
    if ((await sizeOf(this.path)) <= this.maxBytes) return
    await this.lock.run('', () => this.rotate())
  }

  /** At most 256 KiB from `position` on; from the oldest byte that is kept when that is later. */
  async read(position: number): Promise<LogChunk> {
    return this.lock.run('', async () => {
      const base = await this.begin()
      const from = Math.max(position, base - this.previousBytes)
      const bytes =
        from < base
          ? await readBytes(`${this.path}.1`, {
              start: from - (base - this.previousBytes),
              length: Math.min(READ_BYTES, base - from),
            })
          : await readBytes(this.path, { start: from - base, length: READ_BYTES })
      return { bytes, next: from + bytes.length }
    })
  }

  /** The last `count` lines that were printed after position `since`, and the position after them. */
  async tail(count: number, since = 0): Promise<{ readonly lines: readonly string[]; readonly next: number }> {
    const end = await this.end()
    for (let window = READ_BYTES; ; window *= 4) {
      const from = Math.max(since, end - window)
      const { bytes, next } = await this.readAll(from, end)
      const lines = splitLines(bytes)
      const whole = from > since ? lines.slice(1) : lines
      if (whole.length >= count || from <= since || window >= MAX_TAIL_BYTES)
        return { lines: count === 0 ? [] : whole.slice(-count), next }
    }
  }

  private async readAll(from: number, end: number): Promise<LogChunk> {
    const parts: Buffer[] = []
    let position = from
    while (position < end) {
      const chunk = await this.read(position)
      if (chunk.bytes.length === 0) break
      parts.push(chunk.bytes)
      position = chunk.next
    }
    return { bytes: Buffer.concat(parts), next: position }
  }

  private async begin(): Promise<number> {
    if (this.base === undefined) {
      this.previousBytes = await sizeOf(`${this.path}.1`)
      this.base = this.previousBytes
    }
    return this.base
  }

  private async rotate(): Promise<void> {
    const base = await this.begin()
    const size = await sizeOf(this.path)
    const start = Math.max(0, size - this.maxBytes)
    const unfinished = `${this.path}.1.tmp`
    await pipeline(createReadStream(this.path, { start }), createWriteStream(unfinished, { mode: 0o600 }))
    const copied = await sizeOf(unfinished)
    await rename(unfinished, `${this.path}.1`)
    await truncate(this.path, 0)
    this.previousBytes = copied
    this.base = base + start + copied
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  )
}

async function readBytes(path: string, range: { readonly start: number; readonly length: number }): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return Buffer.alloc(0)
  try {
    const buffer = Buffer.alloc(range.length)
    const { bytesRead } = await file.read(buffer, 0, range.length, Math.max(0, range.start))
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}
