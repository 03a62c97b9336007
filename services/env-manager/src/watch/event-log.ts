import { randomBytes } from 'node:crypto'
import type { ChangeEvent } from '@tributary/contract'

/** An event with its place in the log. */
export interface LoggedEvent {
  readonly sequence: number
  readonly event: ChangeEvent
}

const KEPT = 2_000

/** The last events of this process, in order. Ids say which process counted, so that those of another one are not mistaken for its own. */
export class EventLog {
  readonly #process = randomBytes(6).toString('hex')
  readonly #events: LoggedEvent[] = []
  #sequence = 0

  append(event: ChangeEvent): LoggedEvent {
    this.#sequence += 1
    const logged = { sequence: this.#sequence, event }
    this.#events.push(logged)
    if (this.#events.length > KEPT) this.#events.shift()
    return logged
  }

  /** What is not known any more: nobody can resume from before this. */
  forget(): void {
    this.#sequence += 1
    this.#events.length = 0
  }

  /** The id of a place; without one, of the newest. */
  idOf(sequence: number = this.#sequence): string {
    return `${this.#process}-${sequence}`
  }

  /** Events after an id; undefined when some of them are gone, or another process made it. */
  after(id: string): readonly LoggedEvent[] | undefined {
    const [, process, digits] = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id) ?? []
    const sequence = Number(digits)
    const oldest = this.#events[0]?.sequence ?? this.#sequence + 1
    if (process !== this.#process || sequence > this.#sequence || sequence < oldest - 1) return undefined
    return this.#events.filter((one) => one.sequence > sequence)
  }
}
