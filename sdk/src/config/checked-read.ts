import type { Diagnostics } from '../diagnostics.js'
import { readPath, type PathSegments } from './config-path.js'
import type { ValueCheck } from './value-check.js'

/** What a {@link CheckedRead} needs. */
export interface CheckedReadOptions<T> {
  readonly path: string
  readonly segments: PathSegments
  readonly check: ValueCheck<T>
  readonly diagnostics: Diagnostics
}

/** A path read under a schema: remembers the last good value, and checks a value once, not at each read. */
export class CheckedRead<T> {
  readonly #options: CheckedReadOptions<T>
  #input: unknown
  #output: T | undefined
  #problem: string | undefined

  constructor(options: CheckedReadOptions<T>) {
    this.#options = options
  }

  /** Why the newest value is not in use; undefined when it is. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** The value at the path when it fits, else the last one that did; undefined when the path is absent or nothing ever fitted. */
  read(document: unknown): T | undefined {
    const input = readPath(document, this.#options.segments)
    // Documents are frozen and replaced whole, so the same value is the same reference (or an equal primitive).
    if (input !== this.#input) this.#take(input)
    return this.#output
  }

  #take(input: unknown): void {
    this.#input = input
    this.#problem = undefined
    if (input === undefined) {
      this.#output = undefined
      return
    }
    const checked = this.#options.check(input)
    if (checked.ok) this.#output = checked.value
    else this.#refuse(checked.problem)
  }

  #refuse(problem: string): void {
    this.#problem = `${this.#options.path || '*'}: ${problem}`
    const instead =
      this.#output === undefined ? 'there is no earlier value that fits' : 'the last good value stays in use'
    this.#options.diagnostics.report('config_invalid', `${this.#problem}; ${instead}`)
  }
}
