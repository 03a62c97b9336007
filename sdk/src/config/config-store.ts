import { isDeepStrictEqual } from 'node:util'
import type { Static, TSchema } from 'typebox'
import type { Diagnostics } from '../diagnostics.js'
import { deepFreeze, type Immutable } from '../freeze.js'
import { ChangeSubscription, type ChangeHandler } from './change-subscription.js'
import { CheckedRead } from './checked-read.js'
import { parseConfigPath, readPath, withPath } from './config-path.js'
import { checkOf, type ValueCheck } from './value-check.js'

/**
 * The config document of this service (without a service: the tenant-wide one), merged by the config center. Values are frozen.
 * Paths: see {@link parseConfigPath}.
 */
export interface Config {
  /**
   * The value at `path`; undefined when it is absent or nothing is held yet. Never throws because of an outage.
   * @throws AppError `SDK_PATH_INVALID`
   */
  get(path: string): unknown
  /**
   * The value at `path` when it fits `schema`; else the last one that did; else `options.default`, or undefined. A value that
   * does not fit is reported to the config center with the revision that brought it.
   */
  get<T extends TSchema>(path: string, schema: T): Immutable<Static<T>> | undefined
  get<T extends TSchema>(path: string, schema: T, options: { readonly default: Static<T> }): Immutable<Static<T>>
  /**
   * Calls `handler(now, before)` when the value at `path` has changed deeply; not for the value that is there now. A handler that
   * throws or rejects (or takes longer than `handlerTimeoutMs`) refuses the value: it is reported as a reload error, and reads at
   * the path keep giving the last accepted value until the next good change. Until an asynchronous handler has settled, reads give
   * the former value as well. Changes that arrive meanwhile are offered as one. Returns the unsubscription.
   */
  onChange(path: string, handler: ChangeHandler<unknown>): () => void
  /** The same with a schema: values that do not fit are refused before the handler sees them. Undefined: the path is absent. */
  onChange<T extends TSchema>(
    path: string,
    schema: T,
    handler: ChangeHandler<Immutable<Static<T>> | undefined>,
  ): () => void
}

/** What a {@link ConfigStore} needs. */
export interface ConfigStoreOptions {
  readonly diagnostics: Diagnostics
  readonly handlerTimeoutMs: number
}

/** Pairs of path and schema that are checked again at each change, so that a bad value is reported before somebody reads it. */
const MAX_CHECKED_READS = 256

/** Holds the document as received and as in use, which differ where a handler refused (or has not yet taken) a value. */
export class ConfigStore implements Config {
  readonly #options: ConfigStoreOptions
  readonly #subscriptions = new Set<ChangeSubscription>()
  readonly #readsByCheck = new WeakMap<ValueCheck<unknown>, Map<string, CheckedRead<unknown>>>()
  readonly #recentReads = new Set<CheckedRead<unknown>>()
  #received: unknown
  #inUse: unknown
  #inUseIsCurrent = true

  constructor(options: ConfigStoreOptions) {
    this.#options = options
  }

  get<T extends TSchema>(
    path: string,
    schema?: T,
    options?: { readonly default: Static<T> },
  ): Immutable<Static<T>> | undefined {
    const document = this.#documentInUse()
    // Without a schema the public overload says `unknown`.
    if (schema === undefined) return readPath(document, parseConfigPath(path)) as Immutable<Static<T>> | undefined
    const value = this.#checkedRead(path, checkOf(schema)).read(document)
    return (value === undefined ? options?.default : value) as Immutable<Static<T>> | undefined
  }

  onChange(path: string, schemaOrHandler: TSchema | ChangeHandler<never>, handler?: ChangeHandler<never>): () => void {
    const withSchema = typeof schemaOrHandler !== 'function'
    const called = withSchema ? handler : schemaOrHandler
    if (called === undefined) throw new TypeError('onChange needs a handler')
    return this.#subscribe(path, withSchema ? checkOf(schemaOrHandler) : undefined, called as ChangeHandler<unknown>)
  }

  /** Takes a new document; readers of unhandled paths see it at once. Call {@link settle} next. */
  replace(document: unknown): void {
    this.#received = document
    this.#inUseIsCurrent = false
  }

  /**
   * Offers what is new to the handlers (synchronously as far as they are synchronous), checks the remembered reads again, and
   * resolves when all have settled, with the reload errors that stand. Never rejects.
   */
  async settle(): Promise<readonly string[]> {
    const waits = [...this.#subscriptions].map((subscription) => subscription.catchUp())
    const pending = waits.filter((wait) => wait !== undefined)
    if (pending.length > 0) await Promise.all(pending)
    return this.#problems()
  }

  /** No handler is called any more. */
  close(): void {
    for (const subscription of this.#subscriptions) subscription.close()
    this.#subscriptions.clear()
  }

  #subscribe(path: string, check: ValueCheck<unknown> | undefined, handler: ChangeHandler<unknown>): () => void {
    const segments = parseConfigPath(path)
    const subscription = new ChangeSubscription({
      path,
      segments,
      check,
      handler,
      document: () => this.#received,
      current: readPath(this.#documentInUse(), segments),
      timeoutMs: this.#options.handlerTimeoutMs,
      diagnostics: this.#options.diagnostics,
      onAccepted: () => this.#forgetInUse(),
    })
    this.#subscriptions.add(subscription)
    this.#forgetInUse()
    return () => {
      subscription.close()
      this.#subscriptions.delete(subscription)
      this.#forgetInUse()
    }
  }

  #forgetInUse(): void {
    this.#inUseIsCurrent = false
  }

  /** The received document with the last accepted value at each path whose newest value is not accepted, deeper paths on top. */
  #documentInUse(): unknown {
    if (this.#inUseIsCurrent) return this.#inUse
    const held = [...this.#subscriptions]
      .filter(({ segments, accepted }) => !isDeepStrictEqual(readPath(this.#received, segments), accepted))
      .sort((first, second) => first.segments.length - second.segments.length)
    let document = this.#received
    for (const { segments, accepted } of held) document = withPath(document, segments, accepted)
    this.#inUse = deepFreeze(document)
    this.#inUseIsCurrent = true
    return this.#inUse
  }

  #checkedRead(path: string, check: ValueCheck<unknown>): CheckedRead<unknown> {
    let byPath = this.#readsByCheck.get(check)
    if (byPath === undefined) this.#readsByCheck.set(check, (byPath = new Map<string, CheckedRead<unknown>>()))
    const known = byPath.get(path)
    if (known !== undefined) return known
    const segments = parseConfigPath(path)
    const read = new CheckedRead({ path, segments, check, diagnostics: this.#options.diagnostics })
    if (byPath.size < MAX_CHECKED_READS) byPath.set(path, read)
    this.#recentReads.add(read)
    if (this.#recentReads.size > MAX_CHECKED_READS) this.#dropOldestRead()
    return read
  }

  #dropOldestRead(): void {
    for (const oldest of this.#recentReads) {
      this.#recentReads.delete(oldest)
      return
    }
  }

  #problems(): readonly string[] {
    const document = this.#documentInUse()
    for (const read of this.#recentReads) read.read(document)
    const all = [...this.#subscriptions, ...this.#recentReads].map(({ problem }) => problem)
    return all.filter((problem) => problem !== undefined)
  }
}
