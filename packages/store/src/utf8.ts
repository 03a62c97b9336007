const SURROGATE = /\p{Surrogate}/u
const SURROGATES_START = 0xd800
const PRIVATE_USE_START = 0xe000

/** True when `text` has a UTF-8 form: it holds no half of a surrogate pair. */
export function isUtf8Encodable(text: string): boolean {
  return !SURROGATE.test(text)
}

/**
 * Orders two strings by their UTF-8 bytes: negative, zero or positive. JavaScript's own order is that of UTF-16 units, which
 * puts characters beyond U+FFFF (surrogate pairs, 0xD800-0xDFFF) before U+E000-U+FFFF; here they come after, as in UTF-8.
 */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = left.charCodeAt(index) - right.charCodeAt(index)
    if (difference !== 0) {
      return codePointRank(left.charCodeAt(index)) - codePointRank(right.charCodeAt(index))
    }
  }
  return left.length - right.length
}

/** The unit's place in code point order; the surrogates move above everything else. */
function codePointRank(unit: number): number {
  if (unit < SURROGATES_START) return unit
  return unit >= PRIVATE_USE_START ? unit - 0x800 : unit + 0x2000
}
