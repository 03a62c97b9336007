import type { FrameConnection } from './frame-connection.js'
import type { Frame } from './frame.js'

/** Collects the first frames that say something new, for one answer of a long poll. */
export class PollConnection implements FrameConnection {
  readonly unsentBytes = 0
  #frames: readonly Frame[] = []
  readonly #onNews: () => void

  /** `onNews` is called when there is something to answer with. */
  constructor(onNews: () => void) {
    this.#onNews = onNews
  }

  /** What has arrived, without `hello`: a poll has no subscription. Empty as long as nothing has changed. */
  get frames(): readonly Frame[] {
    return this.#frames
  }

  send(frames: readonly Frame[]): void {
    const news = frames.filter(({ event }) => event !== 'hello' && !event.endsWith('.resumed'))
    if (news.length === 0) return
    this.#frames = [...this.#frames, ...news]
    this.#onNews()
  }

  onceDrained(): void {
    // Nothing waits here: what is sent is in the answer.
  }

  end(): void {
    this.#onNews()
  }

  destroy(): void {
    this.#onNews()
  }
}
