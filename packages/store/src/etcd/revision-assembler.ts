import type { IEvent, IWatchResponse } from 'etcd3'

/** All events of one revision as etcd sent them. */
export interface RawRevision {
  readonly revision: bigint
  readonly events: readonly IEvent[]
}

/**
 * Puts revisions together again: etcd sends many in one response, and cuts a long response into fragments wherever it is full,
 * in the middle of a revision too.
 */
export class RevisionAssembler {
  #revision = 0n
  #events: IEvent[] = []

  /** True between the fragments of a response. */
  get isPartial(): boolean {
    return this.#events.length > 0
  }

  /** The revisions that this response completes, in order. */
  push(response: Pick<IWatchResponse, 'events' | 'fragment'>): RawRevision[] {
    const complete: RawRevision[] = []
    for (const event of response.events) {
      const revision = BigInt(event.kv.mod_revision)
      if (this.isPartial && revision !== this.#revision) complete.push(this.#take())
      this.#revision = revision
      this.#events.push(event)
    }
    if (!response.fragment && this.isPartial) complete.push(this.#take())
    return complete
  }

  #take(): RawRevision {
    const whole = { revision: this.#revision, events: this.#events }
    this.#events = []
    return whole
  }
}
