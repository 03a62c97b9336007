/** Time that one reconnecting subscriber costs the server, with a snapshot and room to spare. Milliseconds. */
const PER_SUBSCRIBER_MS = 1
const MIN_MS = 500
const MAX_MS = 60_000

/**
 * The window within which clients reconnect, in milliseconds, grown with how many there are. It follows the most subscribers
 * that this process has had at once: those that a fault has just cut are the ones that come back.
 */
export class ReconnectWindow {
  #mostSubscribers = 0

  /** Notes how many there are now. */
  observe(subscribers: number): void {
    this.#mostSubscribers = Math.max(this.#mostSubscribers, subscribers)
  }

  get ms(): number {
    return Math.min(MAX_MS, Math.max(MIN_MS, this.#mostSubscribers * PER_SUBSCRIBER_MS))
  }
}
