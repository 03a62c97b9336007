import type { Child } from '../child.js'

/** One way to bring a value to many subscribers, started with all of them connected. */
export interface Contender {
  readonly name: string
  /** The process of the subscribers. */
  readonly subscribers: Child
  readonly serverPid: number
  /** Resolves when the server has acknowledged. */
  publish(sequence: number): Promise<unknown>
  stop(): Promise<void>
}

/** How a contender is made. */
export interface ContenderKind {
  readonly name: string
  /** Why it cannot take part here, with what to do about it; undefined when it can. */
  missing(): string | undefined
  start(subscribers: number): Promise<Contender>
}

/** Bytes of a published value beside its sequence number. */
export const PAYLOAD = 'x'.repeat(1_024)

/** The value as every contender carries it. */
export function valueOf(sequence: number): string {
  return JSON.stringify({ sequence, payload: PAYLOAD })
}

/** Stops what has been started, in reverse order, also when one of them fails to. */
export async function stopAll(parts: readonly { stop(): Promise<void> }[]): Promise<void> {
  await Promise.allSettled([...parts].reverse().map((part) => part.stop()))
}
