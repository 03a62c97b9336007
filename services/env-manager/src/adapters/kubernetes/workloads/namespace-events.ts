import type { Clock } from '@tributary/kit'
import type { KubeApi } from '../api/kube-api.js'
import { RESOURCES, type KubeEvent } from '../api/kube-objects.js'
import { ListWatch } from '../api/list-watch.js'

/** What is told when a namespace's warnings change. */
export interface NamespaceEventsOptions {
  readonly api: KubeApi
  readonly clock: Clock
  readonly onChange: (namespace: string) => void
  readonly onError: (error: unknown) => void
}

/** Warnings of namespaces in which something is not well: events are many, so they are watched only where they are needed. */
export class NamespaceEvents {
  readonly #watches = new Map<string, ListWatch<KubeEvent>>()
  readonly #ending = new Set<Promise<void>>()

  constructor(private readonly options: NamespaceEventsOptions) {}

  /** Begins or ends to watch a namespace. Idempotent. */
  want(namespace: string, wanted: boolean): void {
    const present = this.#watches.get(namespace)
    if (wanted && present === undefined) this.#begin(namespace)
    if (!wanted && present !== undefined) this.#end(namespace, present)
  }

  /** Warnings of the namespace, as far as they are known. */
  of(namespace: string): readonly KubeEvent[] {
    return this.#watches.get(namespace)?.values() ?? []
  }

  async stop(): Promise<void> {
    for (const [namespace, watch] of this.#watches) this.#end(namespace, watch)
    await Promise.all(this.#ending)
  }

  #begin(namespace: string): void {
    const { api, clock, onChange, onError } = this.options
    const watch = new ListWatch<KubeEvent>({
      api,
      clock,
      resource: RESOURCES.event,
      selection: { namespace, fieldSelector: 'type=Warning' },
      onChange: () => onChange(namespace),
      onError,
    })
    this.#watches.set(namespace, watch)
    watch.begin()
  }

  #end(namespace: string, watch: ListWatch<KubeEvent>): void {
    this.#watches.delete(namespace)
    const ended = watch.stop().finally(() => this.#ending.delete(ended))
    this.#ending.add(ended)
  }
}
