/** The member that carries the tenant of a request (docs/adr/0009). */
export const TENANT_MEMBER = 'tributary-tenant'

/**
 * The longest header that is written. W3C asks for all members of a header of up to 64 members and 8,192 bytes to be passed on; the
 * bytes alone bound the rest, so that a header of many short members is kept whole too.
 */
export const MAX_BAGGAGE_BYTES = 8_192

/**
 * list-member of https://www.w3.org/TR/baggage/#definition: key, value, and what follows the first semicolon. What properties may hold
 * is looser than the standard, because they are others' and only passed on; no control character or byte above ASCII gets through.
 */
const MEMBER =
  /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*=[ \t]*([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)[ \t]*(?:;([\t\x20-\x7e]*))?$/
const PROPERTY = /^[ \t]*([!#$%&'*+\-.^_`|~\w]+)[ \t]*(?:=[ \t]*([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*)[ \t]*)?$/

/** Metadata of a member. A property without `=` has no value. */
export interface BaggageProperty {
  readonly key: string
  readonly value?: string
}

/** One member of a `baggage` header. `text` is what came, byte for byte without the white space around it. */
export class BaggageMember {
  readonly key: string
  readonly text: string
  readonly #rawValue: string
  readonly #rawProperties: string | undefined

  private constructor(text: string, [key, value, properties]: readonly [string, string, string | undefined]) {
    this.text = text
    this.key = key
    this.#rawValue = value
    this.#rawProperties = properties
  }

  /** Reads one member; undefined when it breaks the grammar. */
  static parse(source: string): BaggageMember | undefined {
    const text = trimOws(source)
    const [, key, value, properties] = MEMBER.exec(text) ?? []
    return key === undefined || value === undefined ? undefined : new BaggageMember(text, [key, value, properties])
  }

  /** Makes a member of any value. `properties` is text for after the semicolon. Undefined when the key or properties break the grammar. */
  static of(key: string, value: string, properties = ''): BaggageMember | undefined {
    return BaggageMember.parse(`${key}=${encodeValue(value)}${properties === '' ? '' : `;${properties}`}`)
  }

  /** The value, percent-decoded; bytes that are not UTF-8 become U+FFFD, a `%` that encodes nothing stays. */
  get value(): string {
    return decodeValue(this.#rawValue)
  }

  /** The properties that can be read; {@link text} has all of them. */
  get properties(): readonly BaggageProperty[] {
    if (this.#rawProperties === undefined) return []
    return this.#rawProperties.split(';').flatMap((source) => {
      const [, key, value] = PROPERTY.exec(source) ?? []
      if (key === undefined) return []
      return [value === undefined ? { key } : { key, value: decodeValue(value) }]
    })
  }
}

/** What a header holds. Duplicates are kept, in order; members that break the grammar are left out and counted. */
export interface ParsedBaggage {
  readonly members: readonly BaggageMember[]
  readonly malformed: number
}

/**
 * Reads a `baggage` header by the W3C rules (several headers: joined with commas, as HTTP has it). Never throws: one bad member does
 * not cost the others.
 */
export function parseBaggage(header: string): ParsedBaggage {
  const members: BaggageMember[] = []
  let malformed = 0
  for (const part of header.split(',')) {
    const member = BaggageMember.parse(part)
    if (member !== undefined) members.push(member)
    // RFC 9110, 5.6.1: empty elements of a list are nothing.
    else if (trimOws(part) !== '') malformed += 1
  }
  return { members, malformed }
}

/** Writes members as a header of at most {@link MAX_BAGGAGE_BYTES}; a member that does not fit any more is left out. */
export function formatBaggage(members: readonly BaggageMember[]): string {
  let header = ''
  for (const { text } of members) {
    const separator = header === '' ? 0 : 1
    if (header.length + separator + text.length > MAX_BAGGAGE_BYTES) continue
    header = separator === 0 ? text : `${header},${text}`
  }
  return header
}

function trimOws(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isOws(text.charCodeAt(start))) start += 1
  while (end > start && isOws(text.charCodeAt(end - 1))) end -= 1
  return start === 0 && end === text.length ? text : text.slice(start, end)
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** encodeURIComponent, and the five marks that it leaves alone: the same bytes as other implementations write. */
function encodeValue(value: string): string {
  // A lone surrogate has no UTF-8; the detour makes it U+FFFD, where encodeURIComponent would throw.
  const text = Buffer.from(value, 'utf8').toString('utf8')
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)
}

function decodeValue(raw: string): string {
  if (!raw.includes('%')) return raw
  try {
    return decodeURIComponent(raw)
  } catch {
    return raw.replace(/(?:%[0-9a-fA-F]{2})+/g, (bytes) =>
      Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'),
    )
  }
}
