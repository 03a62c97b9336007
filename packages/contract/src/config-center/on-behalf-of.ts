/**
 * Names the person for whom an admin or deployer token acts, on any request to the config center. History and audit show it beside
 * the token. The value is a name as {@link encodeOnBehalfOf} writes it. It says who wanted a write; it gives no rights.
 */
export const ON_BEHALF_OF_HEADER = 'x-tributary-on-behalf-of'

/** Longest name of a person, in UTF-16 code units. */
export const MAX_ON_BEHALF_OF_LENGTH = 128

/** The header's value for a name: percent-encoded UTF-8, since a header takes ASCII only. */
export function encodeOnBehalfOf(name: string): string {
  return encodeURIComponent(name)
}

/**
 * Reads the header's value back. Undefined when it is not a name: empty, too long, badly encoded, with white space around it, or
 * with characters that cannot be seen (control characters, changes of direction, lone surrogates).
 */
export function parseOnBehalfOf(value: string): string | undefined {
  const name = decoded(value)
  if (name === undefined || name === '' || name.length > MAX_ON_BEHALF_OF_LENGTH || name !== name.trim()) {
    return undefined
  }
  // \p{C}: control, format, surrogate, private use, unassigned; \p{Zl} and \p{Zp} break lines.
  return /[\p{C}\p{Zl}\p{Zp}]/u.test(name) ? undefined : name
}

function decoded(value: string): string | undefined {
  // Beyond ASCII a header's text depends on who reads it; only the encoded form is taken.
  if (!/^[\x20-\x7e]*$/.test(value)) return undefined
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
