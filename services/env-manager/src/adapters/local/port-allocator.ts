import { createServer } from 'node:net'
import { failure } from '../../errors.js'

/** Ports that workloads may get, both ends included. The default lies below Linux' and macOS' ephemeral ranges. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** Default of {@link PortRange}. */
export const DEFAULT_PORT_RANGE: PortRange = { first: 20_000, last: 29_999 }

/** Hands out ports that nobody listens on, and never one that it handed out and did not get back. */
export class PortAllocator {
  private readonly taken = new Set<number>()
  private next: number

  constructor(
    private readonly range: PortRange,
    private readonly host: string,
    random: () => number = Math.random,
  ) {
    // Two managers on one machine should not race for the same ports.
    this.next = range.first + Math.floor(random() * (range.last - range.first + 1))
  }

  /** @throws AppError `PLATFORM_PORTS_EXHAUSTED` */
  async reserve(count: number): Promise<number[]> {
    const ports: number[] = []
    for (let tries = this.range.last - this.range.first + 1; tries > 0 && ports.length < count; tries -= 1) {
      const port = this.advance()
      if (this.taken.has(port)) continue
      this.taken.add(port)
      if (await isPortFree(port, this.host)) ports.push(port)
      else this.taken.delete(port)
    }
    if (ports.length === count) return ports
    this.release(ports)
    throw failure(
      'PLATFORM_PORTS_EXHAUSTED',
      `no free port between ${this.range.first} and ${this.range.last}; remove some environments or widen the range`,
    )
  }

  /** Takes ports that a workload of an earlier process has. */
  claim(ports: readonly number[]): void {
    for (const port of ports) this.taken.add(port)
  }

  /** Gives ports back. */
  release(ports: readonly number[]): void {
    for (const port of ports) this.taken.delete(port)
  }

  private advance(): number {
    const port = this.next
    this.next = port >= this.range.last ? this.range.first : port + 1
    return port
  }
}

/** Whether a server could listen on the port now. */
export function isPortFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
