import type { Readable } from 'node:stream'

/** A request that is passed on to the config center. */
export interface PassedRequest {
  readonly method: string
  /** Path with query, as the config center is to get it. */
  readonly target: string
  /** What the caller sent and the config center may see; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
  /** Whose rights it has: a token of the config center; undefined: the env-manager's own, on behalf of `person`. */
  readonly token: string | undefined
  /** Named in the config center's history. */
  readonly person: string | undefined
  readonly signal: AbortSignal
}

/** The config center's answer; `body` is a stream that may never end. Whoever gets it reads or destroys it. */
export interface PassedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable
}

/** Passes requests on to the config center. Rejects with `CONFIG_CENTER_UNREACHABLE` (retryable) when it does not answer. */
export interface ConfigPassThrough {
  forward(request: PassedRequest): Promise<PassedAnswer>
}
