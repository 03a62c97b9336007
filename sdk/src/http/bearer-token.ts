import { readFileSync } from 'node:fs'

/** Where the bearer token comes from, asked anew for each request. */
export interface BearerToken {
  /** The token to send now. */
  current(): string
}

/** A line end would make another header. */
const TOKEN_TEXT = /^[\x21-\x7e]+$/

/** Whether `text` can be sent as a bearer token. */
export function isTokenText(text: string): boolean {
  return TOKEN_TEXT.test(text)
}

/** A token that stays what it is. */
export function fixedToken(text: string): BearerToken {
  return { current: () => text }
}

/** Why a token file gives no token. Never holds a part of the file. */
export type TokenFileProblem = 'cannot be read' | 'holds no token'

/**
 * A token in a file that somebody rotates, as the kubelet does with a projected ServiceAccount token: read for each request, so that a reconnect,
 * and what follows a 401, have the newest. While the file cannot be used, the last good token is sent. Blank space around it does not count.
 */
export class TokenFile implements BearerToken {
  readonly #path: string
  #last = ''

  /** Reads nothing yet. */
  constructor(path: string) {
    this.#path = path
  }

  current(): string {
    this.refresh()
    return this.#last
  }

  /** Reads the file; undefined when it holds a token, which then is the current one. */
  refresh(): TokenFileProblem | undefined {
    let text: string
    try {
      // Synchronous, because a request is begun synchronously; these are few, and the file is small and in memory.
      text = readFileSync(this.#path, 'utf8').trim()
    } catch {
      return 'cannot be read'
    }
    if (!isTokenText(text)) return 'holds no token'
    this.#last = text
    return undefined
  }
}
