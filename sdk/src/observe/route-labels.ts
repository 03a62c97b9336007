const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])
const MAX_SEGMENTS = 4
/** So many different names may follow one prefix; what comes then is taken for data. */
const MAX_SIBLINGS = 20
const MAX_LABELS = 200
const MAX_LABEL_CHARS = 128
/** A path of a caller's choice is not looked at beyond this. */
const MAX_PATH_CHARS = 512
const ORIGIN = /^[a-z]+:\/\/[^/?#]*/i
/** Lower-case words are names of resources; whatever has digits, capitals or is long is data. */
const NAME = /^[a-z][a-z._-]{0,23}$/

/**
 * Turns requests into labels such as `POST /orders/:id`, of which there are at most 200 in a process: a query is never looked at, and
 * what looks like data, or is one of too many at its place, becomes `:id`.
 */
export class RouteLabels {
  readonly #siblings = new Map<string, Set<string>>()
  readonly #labels = new Set<string>()

  /** The label of a request; `path` may have a query. */
  of(method: string, path: string): string {
    const verb = METHODS.has(method) ? method : 'OTHER'
    const label = `${verb} ${this.#template(path)}`.slice(0, MAX_LABEL_CHARS)
    if (this.#labels.has(label)) return label
    if (this.#labels.size >= MAX_LABELS) return `${verb} *`
    this.#labels.add(label)
    return label
  }

  #template(path: string): string {
    // A proxy is asked with a whole URL (RFC 9112, 3.2.2).
    const relative = path.startsWith('/') ? path : path.slice(0, MAX_PATH_CHARS).replace(ORIGIN, '')
    const end = relative.search(/[?#]/)
    const plain = (end === -1 ? relative : relative.slice(0, end)).slice(0, MAX_PATH_CHARS)
    const segments = plain.split('/').filter((segment) => segment !== '')
    let prefix = ''
    for (const segment of segments.slice(0, MAX_SEGMENTS)) prefix += `/${this.#name(prefix, segment)}`
    if (segments.length > MAX_SEGMENTS) return `${prefix}/*`
    return prefix === '' ? '/' : prefix
  }

  #name(prefix: string, segment: string): string {
    if (!NAME.test(segment)) return ':id'
    let siblings = this.#siblings.get(prefix)
    if (siblings === undefined) {
      if (this.#siblings.size >= MAX_LABELS) return ':id'
      siblings = new Set()
      this.#siblings.set(prefix, siblings)
    }
    if (siblings.has(segment)) return segment
    if (siblings.size >= MAX_SIBLINGS) return ':id'
    siblings.add(segment)
    return segment
  }
}
