import type { ChangeEvent, EventReset } from '@tributary/contract'
import type { EventLog, LoggedEvent } from './event-log.js'

/** What a subscriber writes to. */
export interface EventOutput {
  readonly canTakeMore: boolean
  write(text: string): void
}

/** More different things than this are not kept for a slow subscriber: it reads everything again. */
const MAX_WAITING = 1_000

/**
 * One client of the event stream. While it cannot take more, events of the same thing are joined: only the newest counts, since a client
 * reads the thing again anyway. So its memory is bounded.
 */
export class EventSubscriber {
  readonly #waiting = new Map<string, LoggedEvent>()
  #reset: EventReset['reason'] | undefined

  constructor(
    private readonly log: EventLog,
    private readonly output: EventOutput,
  ) {}

  /** Queues an event; it is written by {@link flush}. */
  add(logged: LoggedEvent): void {
    const key = `${logged.event.kind} ${logged.event.name}`
    // Deleted first, so that what waits stays in the order of its ids.
    this.#waiting.delete(key)
    this.#waiting.set(key, logged)
    if (this.#waiting.size > MAX_WAITING) this.reset('too_slow')
  }

  /** The client has to read everything again. */
  reset(reason: EventReset['reason']): void {
    this.#waiting.clear()
    this.#reset = reason
  }

  /** Writes what waits, if the client can take it. */
  flush(): void {
    if (!this.output.canTakeMore) return
    const frames: string[] = []
    if (this.#reset !== undefined) frames.push(frameOf('reset', this.log.idOf(), { reason: this.#reset }))
    for (const { event, sequence } of this.#waiting.values()) {
      frames.push(frameOf(event.kind, this.log.idOf(sequence), event))
    }
    this.#reset = undefined
    this.#waiting.clear()
    if (frames.length > 0) this.output.write(frames.join(''))
  }
}

function frameOf(name: string, id: string, data: ChangeEvent | EventReset): string {
  return `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`
}
