/**
 * | state | reads give | what goes on |
 * | --- | --- | --- |
 * | NOT_READY | nothing: `undefined`, defaults, `missing` | no view yet; connecting |
 * | READY | the live view | the stream is open and in step |
 * | STALE | the last view (or the disk snapshot's) | no stream; reconnecting |
 * | ERROR | the last view if there is one | the config center refuses us: a person must act; retried slowly |
 */
export const CLIENT_STATES = ['NOT_READY', 'READY', 'STALE', 'ERROR'] as const

/** One of {@link CLIENT_STATES}. */
export type ClientState = (typeof CLIENT_STATES)[number]

/** What happened to the stream. `refused`: an answer that will not change by itself (401, 403, 404, tenant deleted, token revoked). */
export type StreamEvent = 'in_step' | 'outage' | 'refused'

/** A state with the reason that a person reads. */
export interface StateReport {
  readonly state: ClientState
  readonly reason: string
}

/** The state after `event`. It depends on nothing that happened before but whether a view is held. */
export function stateAfter(event: StreamEvent, holdsView: boolean): ClientState {
  if (event === 'in_step') return 'READY'
  if (event === 'refused') return 'ERROR'
  return holdsView ? 'STALE' : 'NOT_READY'
}

/** Receives each change of state, in order. */
export type StateListener = (now: StateReport, before: StateReport) => void

/** Holds the state and tells listeners when the state (not only its reason) changes. */
export class StateHolder {
  #report: StateReport = { state: 'NOT_READY', reason: 'connecting for the first time' }
  readonly #listeners = new Set<StateListener>()

  get report(): StateReport {
    return this.#report
  }

  /** Sets the state; listeners that throw are ignored, the others still hear it. */
  set(state: ClientState, reason: string): void {
    const before = this.#report
    this.#report = { state, reason }
    if (before.state === state) return
    for (const listener of this.#listeners) {
      try {
        listener(this.#report, before)
      } catch {
        // A listener's bug must not stop the stream that feeds everything else.
      }
    }
  }

  /** Adds a listener; returns its removal. */
  onChange(listener: StateListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}
