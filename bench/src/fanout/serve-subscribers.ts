import { pushToParent, serveParent } from '../child.js'
import { DeliveryCount } from './delivery-count.js'

/** Gives a subscriber's value to the count: the application's code holds it from here on. */
export type Take = (subscriber: number, sequence: number) => void

/** Connects one subscriber; resolves when it follows, so that no later publish is missed. */
export type Subscribe = (subscriber: number, take: Take) => Promise<void>

type Message = { readonly faults: number } | { readonly count: number } | { readonly requests: readonly string[] }

/** Connecting in waves keeps connection requests within what a machine queues. */
const WAVE = 250

/**
 * Serves the bench's process: connects as many subscribers as it asks for, tells it when the last of them has a value, and what was
 * missed in the end. `makeSubscribe` is given the parent's start message.
 */
export function serveSubscribers(makeSubscribe: (start: object) => Subscribe | Promise<Subscribe>): void {
  let deliveries = new DeliveryCount(0)
  serveParent(async (parameter) => {
    const message = parameter as Message
    if ('faults' in message) return deliveries.faults(message.faults)
    const count = 'count' in message ? message.count : message.requests.length
    const counted = new DeliveryCount(count)
    deliveries = counted
    const subscribe = await makeSubscribe(message)
    const take: Take = (subscriber, sequence) => {
      if (!counted.take(subscriber, sequence)) return
      pushToParent({ sequence, lastAtNs: process.hrtime.bigint().toString() })
    }
    for (let start = 0; start < count; start += WAVE) {
      const wave = Array.from({ length: Math.min(WAVE, count - start) }, (_, index) => start + index)
      await Promise.all(wave.map((subscriber) => subscribe(subscriber, take)))
    }
    return { connected: count }
  })
}
