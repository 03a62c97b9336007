/** Which queue or topic belongs to the consumers of whom: the shared one to the baseline, a lane to each other tenant. */
export interface LaneOwner {
  readonly owner: string
  readonly baseline: string
}

/** How often a message was handed over, in its header. */
export const HOPS_HEADER = 'tributary-hops'
/** Why a message was parked, in its header. */
export const PARKED_HEADER = 'tributary-parked'

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 2_000

/** `orders` for the baseline, `orders.feature-x` for feature-x. A tenant's name has no dot. */
export function laneOf(shared: string, { owner, baseline }: LaneOwner): string {
  return owner === baseline ? shared : `${shared}.${owner}`
}

/** Where messages go that nobody may handle. No tenant can have the name. */
export function parkingOf(shared: string): string {
  return `${shared}.tributary_parked`
}

/**
 * How long to wait before a message is handed over once more. The first time is free; two processes whose tables differ, because one has
 * lost the config center, must not play ball with it at full speed.
 */
export function handOverPauseMs(hops: number): number {
  return hops < 1 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(hops - 1, 20))
}

/** Reads {@link HOPS_HEADER} as a broker gives it back; 0 for anything odd. */
export function readHops(value: unknown): number {
  const hops = Number(textOf(value) ?? value)
  return Number.isInteger(hops) && hops > 0 ? hops : 0
}

/** A header as text: brokers give back buffers, and lists when a header came twice. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  if (!Array.isArray(value)) return undefined
  return value.flatMap((each) => textOf(each) ?? []).join(',')
}
