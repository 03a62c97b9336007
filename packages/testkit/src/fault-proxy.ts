import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** One way through the proxy. */
export type ProxyDirection = 'toServer' | 'toClient'

interface Link {
  readonly client: Socket
  readonly server: Socket
  toClientBytes: number
}

/** A TCP proxy on loopback that fails on command. Its address stays the same whatever happens behind it. */
export class FaultProxy {
  #targetPort: number
  readonly #targetHost: string
  readonly #listener: Server
  readonly #links = new Set<Link>()
  readonly #stalled = new Set<ProxyDirection>()
  #accepting = true
  #cutAfterBytes: number | undefined
  /** Connections accepted so far. */
  accepted = 0

  private constructor(targetPort: number, targetHost: string) {
    this.#targetPort = targetPort
    this.#targetHost = targetHost
    this.#listener = createServer((client) => this.#accept(client))
  }

  /** Listens on a free port of 127.0.0.1 and forwards to `targetPort` of `targetHost` (default: there too). */
  static async start(targetPort: number, targetHost = '127.0.0.1'): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort, targetHost)
    proxy.#listener.listen(0, '127.0.0.1')
    await once(proxy.#listener, 'listening')
    return proxy
  }

  get port(): number {
    const address = this.#listener.address()
    if (address === null || typeof address === 'string') throw new Error('the fault proxy does not listen')
    return address.port
  }

  /** Forwards new connections to this port from now on: for a server whose address has to be known before it listens. */
  forwardTo(targetPort: number): void {
    this.#targetPort = targetPort
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#links.size
  }

  /** Closes every connection. New ones are served. */
  cut(): void {
    for (const link of this.#links) this.#destroy(link)
  }

  /** As {@link cut}, with a TCP reset. */
  reset(): void {
    for (const link of this.#links) {
      link.client.resetAndDestroy()
      this.#destroy(link)
    }
  }

  /** Closes every connection and each new one, until {@link accept}. */
  refuse(): void {
    this.#accepting = false
    this.cut()
  }

  /** Serves connections again. */
  accept(): void {
    this.#accepting = true
  }

  /** Closes each connection once it has carried this many bytes to the client, in the middle of a message; undefined: never. */
  cutAfter(bytes: number | undefined): void {
    this.#cutAfterBytes = bytes
    for (const link of this.#links) link.toClientBytes = 0
  }

  /** Carries nothing in one direction, old connections and new ones alike; they stay open. */
  stall(direction: ProxyDirection): void {
    this.#stalled.add(direction)
    for (const link of this.#links) this.#source(link, direction).pause()
  }

  /** Carries everything again, what was held back first. */
  resume(): void {
    this.#stalled.clear()
    for (const link of this.#links) for (const socket of [link.client, link.server]) socket.resume()
  }

  async close(): Promise<void> {
    this.refuse()
    if (!this.#listener.listening) return
    this.#listener.close()
    await once(this.#listener, 'close')
  }

  #accept(client: Socket): void {
    this.accepted += 1
    if (!this.#accepting) {
      client.destroy()
      return
    }
    const link = { client, server: connect(this.#targetPort, this.#targetHost), toClientBytes: 0 }
    this.#links.add(link)
    for (const socket of [link.client, link.server]) {
      socket.setNoDelay(true)
      socket.on('error', () => this.#destroy(link))
      socket.on('close', () => this.#destroy(link))
    }
    this.#forward(link, 'toServer')
    this.#forward(link, 'toClient')
  }

  #forward(link: Link, direction: ProxyDirection): void {
    const source = this.#source(link, direction)
    const target = source === link.client ? link.server : link.client
    source.on('data', (chunk) => {
      if (direction === 'toClient' && this.#isSpent(link, chunk)) {
        this.#destroy(link)
        return
      }
      if (!target.write(chunk)) source.pause()
    })
    target.on('drain', () => {
      if (!this.#stalled.has(direction)) source.resume()
    })
    source.on('end', () => target.end())
    if (this.#stalled.has(direction)) source.pause()
  }

  /** Delivers the part of the chunk that is still allowed, so that the client sees the beginning of a message. */
  #isSpent(link: Link, chunk: Buffer): boolean {
    if (this.#cutAfterBytes === undefined) return false
    const rest = this.#cutAfterBytes - link.toClientBytes
    link.toClientBytes += chunk.length
    if (chunk.length <= rest) return false
    link.client.write(chunk.subarray(0, Math.max(0, rest)))
    return true
  }

  #source(link: Link, direction: ProxyDirection): Socket {
    return direction === 'toServer' ? link.client : link.server
  }

  #destroy(link: Link): void {
    this.#links.delete(link)
    // `destroySoon` lets out what was written before, so that the cut comes after exactly those bytes.
    link.client.destroySoon()
    link.server.destroy()
  }
}
