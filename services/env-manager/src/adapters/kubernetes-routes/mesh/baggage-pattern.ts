import { TENANT_MEMBER } from '@tributary/sdk'

/** Optional white space, as HTTP has it. */
const OWS = '[ \\t]*'
/** The rest of a member: members end at commas. */
const REST = '[^,]*'
/** What values are made of (https://www.w3.org/TR/baggage/#value). */
const VALUE = '[\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x5b\\x5d-\\x7e]'
/** Properties, as loosely as the SDK passes them on. */
const PROPERTIES = `;[\\t\\x20-\\x2b\\x2d-\\x7e]*`

/**
 * A regular expression that matches a whole `baggage` header if and only if the SDK reads this tenant from it: at least one well-formed member names the
 * tenant, percent-encoded or not, with any properties, and no well-formed member of that key, in whatever case, names anything else.
 *
 * Meshes have engines without backtracking (RE2 in Envoy, so in Istio; `regex` in Linkerd): there are no lookarounds here. "A member of another key" is
 * spelled out character by character instead. Anchored, because not every mesh matches the whole value by itself. Shorter than the 4,096 characters
 * that the Gateway API takes.
 */
export function baggagePatternOf(tenant: string): string {
  const named = `${OWS}${literal(TENANT_MEMBER)}${OWS}=${OWS}${encodable(tenant)}${OWS}(?:${PROPERTIES})?`
  const other = otherMember()
  return `^(?:${other},)*${named}(?:,(?:${named}|${other}))*$`
}

/** Text as it stands; the key has no character that means anything in an expression but `-`, which means nothing outside of brackets. */
function literal(text: string): string {
  return text.replaceAll(/[^a-z0-9-]/g, (character) => `\\${character}`)
}

/** Each character as it is, or percent-encoded. */
function encodable(text: string): string {
  return Array.from(text, (character) => `(?:${character}|%${hexOf(character)})`).join('')
}

function hexOf(character: string): string {
  const hex = character.charCodeAt(0).toString(16).padStart(2, '0')
  return hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)
}

/**
 * Whatever stands between commas and is not a well-formed member of the tenant's key: it leaves the key, from the first character on that differs; or it
 * has the key and breaks the grammar after it, so that nobody reads it.
 */
function otherMember(): string {
  const afterKey = `${OWS}(?:[^,= \\t]${REST}|=${malformedValue()})?`
  const otherKey = TENANT_MEMBER.split('').reduceRight((rest, character) => {
    const both = character === character.toUpperCase() ? character : `[${character}${character.toUpperCase()}]`
    const none = character === '-' ? '[^,-]' : `[^,${character}${character.toUpperCase()}]`
    return `(?:${none}${REST}|${both}${rest})?`
  }, afterKey)
  // White space before the key belongs to no key.
  return `${OWS}${otherKey.replace('[^,', '[^, \\t')}`
}

/** What follows the `=` of a member that breaks the grammar. */
function malformedValue(): string {
  const afterValue = `${VALUE}*[^\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]${REST}`
  const afterSpace = `${VALUE}+[ \\t]+[^,; \\t]${REST}`
  const afterProperties = `${VALUE}*${OWS}${PROPERTIES}[^,\\t\\x20-\\x7e]${REST}`
  return `${OWS}(?:${afterValue}|${afterSpace}|${afterProperties})`
}
