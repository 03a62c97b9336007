import { processUsage } from '../process-usage.js'
import { quantile } from '../result.js'
import type { Contender } from './contender.js'
import type { DeliveryFaults } from './delivery-count.js'

/**
 * How a fan-out is loaded: an open-loop schedule, so that a slow publish does not thin out the ones after it. A publish that is late
 * because the one before it has not been acknowledged counts from when it was due: the order of the values stays that of the schedule.
 */
export interface Schedule {
  /** Every contender in turn is published to in each round, so that noise of the machine hits all alike. */
  readonly rounds: number
  readonly publishesPerRound: number
  /** Dropped from the figures of each round: the caches are another contender's. */
  readonly warmUp: number
  readonly intervalMs: number
  /**
   * Published to each contender before the first round, one as soon as the one before has reached everybody: a server that has just
   * started runs code that the engine has not compiled yet, which none does that has been up for a minute.
   */
  readonly rehearsal: number
}

/** Milliseconds from the moment at which a publish was due to the moment at which the last subscriber's code held the value. */
export interface FanoutFigures extends DeliveryFaults {
  readonly name: string
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Of the server, for each publish. */
  readonly cpuMs: number
  /** Of the process that all subscribers share, for each publish: how much of a delay is the client's work. */
  readonly subscriberCpuMs: number
  readonly rssBytes: number
}

/** How long the last subscriber may take after the last publish of a round. */
const SETTLE_MS = 10_000

/** Publishes on schedule, round after round, to each contender in turn. */
export async function measureFanout(contenders: readonly Contender[], schedule: Schedule): Promise<FanoutFigures[]> {
  const measurements = contenders.map((contender) => new Measurement(contender, schedule))
  for (const one of measurements) await one.rehearse()
  for (let round = 0; round < schedule.rounds; round += 1) {
    // Each begins a round in its turn: what the one before has left to the machine is nobody's alone.
    const shift = round % measurements.length
    for (const one of [...measurements.slice(shift), ...measurements.slice(0, shift)]) await one.round()
  }
  return Promise.all(measurements.map((one) => one.figures()))
}

class Measurement {
  readonly #contender: Contender
  readonly #schedule: Schedule
  readonly #publishedAt: bigint[] = []
  readonly #lastAt = new Map<number, bigint>()
  readonly #counted: number[] = []
  #cpuMs = 0
  #subscriberCpuMs = 0
  #publishes = 0
  #onReached: () => void = () => undefined

  constructor(contender: Contender, schedule: Schedule) {
    this.#contender = contender
    this.#schedule = schedule
    contender.subscribers.onMessage((message) => {
      const { sequence, lastAtNs } = message as { readonly sequence: number; readonly lastAtNs: string }
      this.#lastAt.set(sequence, BigInt(lastAtNs))
      this.#onReached()
    })
  }

  async rehearse(): Promise<void> {
    for (let index = 0; index < this.#schedule.rehearsal; index += 1) {
      await this.#contender.publish(this.#publishedAt.push(process.hrtime.bigint()) - 1)
      await this.#settled()
    }
  }

  async round(): Promise<void> {
    const { publishesPerRound, warmUp, intervalMs } = this.#schedule
    const [server, clients] = this.#cpu()
    let publishing: Promise<unknown> = Promise.resolve()
    const startedAt = performance.now()
    for (let index = 0; index < publishesPerRound; index += 1) {
      await until(startedAt + index * intervalMs)
      const sequence = this.#publishedAt.push(process.hrtime.bigint()) - 1
      if (index >= warmUp) this.#counted.push(sequence)
      publishing = publishing.then(() => this.#contender.publish(sequence))
    }
    await publishing
    await this.#settled()
    const [serverAfter, clientsAfter] = this.#cpu()
    this.#cpuMs += serverAfter - server
    this.#subscriberCpuMs += clientsAfter - clients
    this.#publishes += publishesPerRound
  }

  async figures(): Promise<FanoutFigures> {
    const published = this.#publishedAt.length
    const delays = this.#counted.flatMap((sequence) => {
      const [from, to] = [this.#publishedAt[sequence], this.#lastAt.get(sequence)]
      return from === undefined || to === undefined ? [] : [Number(to - from) / 1e6]
    })
    const faults = await this.#contender.subscribers.ask<DeliveryFaults>({ faults: published })
    return {
      name: this.#contender.name,
      p50Ms: quantile(delays, 0.5),
      p99Ms: quantile(delays, 0.99),
      maxMs: quantile(delays, 1),
      cpuMs: this.#cpuMs / this.#publishes,
      subscriberCpuMs: this.#subscriberCpuMs / this.#publishes,
      rssBytes: processUsage(this.#contender.serverPid).rssBytes,
      ...faults,
    }
  }

  /** Processor time of the server and of the subscribers' process until now, milliseconds. */
  #cpu(): readonly [number, number] {
    const { serverPid, subscribers } = this.#contender
    return [processUsage(serverPid).cpuMs, processUsage(subscribers.pid).cpuMs]
  }

  /** Resolves when everybody has everything, or not soon: what is missing then counts as missed. */
  async #settled(): Promise<void> {
    const complete = new Promise<void>((resolve) => {
      this.#onReached = () => {
        if (this.#lastAt.size >= this.#publishedAt.length) resolve()
      }
      this.#onReached()
    })
    const waiting = new AbortController()
    await Promise.race([complete, until(performance.now() + SETTLE_MS, waiting.signal)])
    waiting.abort()
  }
}

function until(atMs: number, signal?: AbortSignal): Promise<void> {
  const wait = atMs - performance.now()
  if (wait <= 0) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, wait)
    signal?.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}
