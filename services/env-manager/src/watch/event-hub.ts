import type { ChangeEvent } from '@tributary/contract'
import { EventLog } from './event-log.js'
import { EventSubscriber, type EventOutput } from './event-subscriber.js'

/** Told of each event; undefined: anything may have changed. Must not throw. */
export type EventListener = (event: ChangeEvent | undefined) => void

/** A client's place in the hub. */
export interface EventSubscription {
  /** To be called when the output can take more. */
  flush(): void
  leave(): void
}

/** Tells everybody who listens which things have changed. One for each process; nothing here asks anybody anything. */
export class EventHub {
  readonly #log = new EventLog()
  readonly #subscribers = new Set<EventSubscriber>()
  readonly #listeners = new Set<EventListener>()
  #scheduled = false

  /** Clients at present. */
  get size(): number {
    return this.#subscribers.size
  }

  publish(event: ChangeEvent): void {
    const logged = this.#log.append(event)
    for (const subscriber of this.#subscribers) subscriber.add(logged)
    for (const listener of this.#listeners) listener(event)
    this.#schedule()
  }

  /** Something was missed: everybody has to read everything again. */
  reset(): void {
    this.#log.forget()
    for (const subscriber of this.#subscribers) subscriber.reset('history_gone')
    for (const listener of this.#listeners) listener(undefined)
    this.#schedule()
  }

  /** Sends what came after `lastEventId`, or that everything has to be read; then everything that comes. */
  subscribe(output: EventOutput, lastEventId: string | undefined): EventSubscription {
    const subscriber = new EventSubscriber(this.#log, output)
    const missed = lastEventId === undefined ? undefined : this.#log.after(lastEventId)
    if (missed === undefined) subscriber.reset(lastEventId === undefined ? 'connected' : 'history_gone')
    for (const logged of missed ?? []) subscriber.add(logged)
    this.#subscribers.add(subscriber)
    subscriber.flush()
    return { flush: () => subscriber.flush(), leave: () => void this.#subscribers.delete(subscriber) }
  }

  /** Calls `listener` at each event. Returns how to stop that. */
  listen(listener: EventListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Once per turn: several events of one turn go out in one write. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      for (const subscriber of this.#subscribers) subscriber.flush()
    })
  }
}
