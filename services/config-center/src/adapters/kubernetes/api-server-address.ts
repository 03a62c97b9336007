import { readFileSync } from 'node:fs'
import { failure } from '../../errors.js'

/** Where the API server is, and how we prove who we are. */
export interface ApiServerAddress {
  /** Origin, `https://10.0.0.1:443`. */
  readonly url: string
  /** Files are read again when they are old: the kubelet rotates the token. */
  readonly tokenFile: string
  /** PEM of the authority that signed the API server's certificate. Absent: what Node trusts. */
  readonly caFile?: string | undefined
}

/** How old what was read of a file may be, milliseconds; as Kubernetes' own clients have it. */
const MAX_AGE_MS = 60_000

/** A file that is read when it is asked for and again when that is long ago. While it cannot be read, what it held counts. */
export class RotatingFile {
  readonly #path: string
  readonly #monotonicMs: () => number
  #text: string | undefined
  #readAt = -Infinity

  /** `monotonicMs` tells the time. */
  constructor(path: string, monotonicMs: () => number) {
    this.#path = path
    this.#monotonicMs = monotonicMs
  }

  /** @throws AppError `WORKLOAD_IDENTITY_UNAVAILABLE` when it never could be read. */
  read(): string {
    const now = this.#monotonicMs()
    if (now - this.#readAt < MAX_AGE_MS && this.#text !== undefined) return this.#text
    try {
      this.#text = readFileSync(this.#path, 'utf8').trim()
      this.#readAt = now
    } catch (cause) {
      if (this.#text === undefined) throw unreadable(this.#path, cause)
    }
    return this.#text
  }

  /** What was read is of no use: the next {@link read} reads anew. */
  expire(): void {
    this.#readAt = -Infinity
  }
}

function unreadable(path: string, cause: unknown): Error {
  return failure(
    'WORKLOAD_IDENTITY_UNAVAILABLE',
    `Reading ${path} to ask the API server failed; does the pod mount its ServiceAccount's token?`,
    { cause },
  )
}
