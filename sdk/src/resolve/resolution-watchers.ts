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
  readonly #anyWatchers = new Set<{ readonly handler: () => void }>()
  readonly #routesWatchers = new Set<{ readonly handler: () => void }>()

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

  /** Watches all services of the own view; returns the end of it. */
  addAny(handler: () => void): () => void {
    const watcher = { handler }
    this.#anyWatchers.add(watcher)
    return () => this.#anyWatchers.delete(watcher)
  }

  /** Watches the route table; returns the end of it. */
  addRoutes(handler: () => void): () => void {
    const watcher = { handler }
    this.#routesWatchers.add(watcher)
    return () => this.#routesWatchers.delete(watcher)
  }

  /** Tells the watchers of the route table that it has changed. */
  notifyRoutes(): void {
    for (const { handler } of this.#routesWatchers) this.#guard('the route table', handler)
  }

  /** Tells the watchers of all services that one has changed. */
  notifyAny(): void {
    for (const { handler } of this.#anyWatchers) this.#guard('all services', handler)
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
    this.#anyWatchers.clear()
    this.#routesWatchers.clear()
  }

  #call(watcher: Watcher, now: Resolution, before: Resolution): void {
    this.#guard(watcher.service, () => watcher.handler(now, before))
  }

  #guard(service: string, call: () => void): void {
    try {
      call()
    } catch (error) {
      const message = `the handler of ${service} threw: ${messageOf(error)}`
      this.#diagnostics.report('handler_failed', message, error)
    }
  }
}
