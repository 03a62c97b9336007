import { isDeepStrictEqual } from 'node:util'
import { messageOf, type Diagnostics } from '../diagnostics.js'
import type { Resolution } from './resolution.js'
import type { Resolver, ResolveOptions } from './resolver.js'

/** Told when a resolution has changed. */
export type ResolutionHandler = (now: Resolution, before: Resolution) => void

interface Watcher {
  readonly service: string
  readonly options: ResolveOptions | undefined
  readonly handler: ResolutionHandler
  last: Resolution
}

/** Calls handlers whose service resolves differently than before. */
export class ResolutionWatchers {
  readonly #resolver: Resolver
  readonly #diagnostics: Diagnostics
  readonly #watchers = new Set<Watcher>()

  constructor(resolver: Resolver, diagnostics: Diagnostics) {
    this.#resolver = resolver
    this.#diagnostics = diagnostics
  }

  /** Watches a service; returns the end of it. */
  add(service: string, handler: ResolutionHandler, options?: ResolveOptions): () => void {
    const watcher: Watcher = { service, handler, options, last: this.#resolver.resolve(service, options) }
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Compares all with what they last were. A handler that throws is a diagnostic; it does not refuse an address. */
  notify(): void {
    for (const watcher of this.#watchers) {
      const before = watcher.last
      const now = this.#resolver.resolve(watcher.service, watcher.options)
      if (now === before || isDeepStrictEqual(now, before)) continue
      watcher.last = now
      this.#call(watcher, now, before)
    }
  }

  /** No handler is called any more. */
  close(): void {
    this.#watchers.clear()
  }

  #call(watcher: Watcher, now: Resolution, before: Resolution): void {
    try {
      watcher.handler(now, before)
    } catch (error) {
      const message = `the handler of ${watcher.service} threw: ${messageOf(error)}`
      this.#diagnostics.report('handler_failed', message, error)
    }
  }
}
