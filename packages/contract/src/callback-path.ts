/** The path segment before the token of a callback URL: `…/tributary-callback/<token>/paid`. */
export const CALLBACK_SEGMENT = 'tributary-callback'

/** A request's target that carries a token. */
export interface CallbackTarget {
  readonly token: string
  /** The service's own path, as the URL has it, without the query. */
  readonly path: string
  /** With its question mark; empty without one. Whatever the third party appended is in it. */
  readonly query: string
}

const TARGET = new RegExp(`^/${CALLBACK_SEGMENT}/([^/?#]*)([^?#]*)(.*)$`, 's')

/**
 * Reads the target of a callback, relative to its service. Undefined: not one. The token is a path segment because third parties drop
 * headers, and append their own query with or without looking whether there is one.
 */
export function parseCallbackTarget(target: string): CallbackTarget | undefined {
  const [, token, path = '', query = ''] = TARGET.exec(target) ?? []
  return token === undefined ? undefined : { token, path: path === '' ? '/' : path, query }
}

/** The path that a token is bound to, in one spelling: third parties may write `%7E` for `~`. */
export function canonicalCallbackPath(path: string): string {
  return path
    .split('/')
    .map((segment) => {
      try {
        return encodeURIComponent(decodeURIComponent(segment))
      } catch {
        return segment
      }
    })
    .join('/')
}
