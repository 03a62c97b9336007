import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import type { Clock } from '@tributary/kit'

/** An address that is about to be published, and what should answer there. */
export interface AddressToProve {
  /** Name that is published, and the Service's own address behind it. */
  readonly host: string
  readonly serviceAddress: string
  /** A ready pod of the Service. */
  readonly podAddress: string
  /** Published ports, with the pod's behind them. */
  readonly ports: readonly { readonly port: number; readonly podPort: number }[]
}

/** How a proof goes; all but `isInside` have defaults that only tests change. */
export interface AddressProofOptions {
  /** This process runs in the cluster: what it does not reach, others there do not reach either. */
  readonly isInside: boolean
  readonly clock: Clock
  /** How long an address is tried for, milliseconds. Default 15,000. */
  readonly patienceMs?: number
  /** How long one connection may take, milliseconds. Default 1,000. */
  readonly connectMs?: number
  /** Rejects while the name is not known. Default: as this machine resolves it. */
  readonly resolve?: (host: string) => Promise<unknown>
}

/** What was found out. */
export type ProofResult =
  | { readonly state: 'proved' }
  /** It cannot be told from here. */
  | { readonly state: 'unseen'; readonly why: string }
  | { readonly state: 'refused'; readonly why: string }

const PATIENCE_MS = 15_000
const CONNECT_MS = 1_000
const FIRST_PAUSE_MS = 10
const MAX_PAUSE_MS = 250

/**
 * Proves that a Service's address leads to its pods before callers are sent there: nodes learn of a new Service, or of its first endpoint, up to seconds after the
 * pod is ready, and until then they refuse connections or let them disappear.
 *
 * The pod itself is asked first: a port that it does not listen on, or a network that does not let us there, proves nothing about the Service. A process outside the
 * cluster that reaches pods may not reach Services; it has to have reached one before a refusal counts, and does not ask again after the first that it did not reach.
 */
export class AddressProof {
  #reachesServices: boolean | undefined

  constructor(private readonly options: AddressProofOptions) {
    this.#reachesServices = options.isInside ? true : undefined
  }

  /** Bounded; rejects only with the signal's reason. */
  async prove(address: AddressToProve, signal: AbortSignal): Promise<ProofResult> {
    if (this.#reachesServices === false) return unseen('this process is not in the cluster’s network')
    const { clock, patienceMs = PATIENCE_MS } = this.options
    const deadline = clock.monotonicMs() + patienceMs
    const open = await this.#openPorts(address, signal)
    if (open.length === 0) return unseen(`its pod ${address.podAddress} cannot be reached from here`)
    for (const { port } of open) {
      const attempt = (): Promise<string | undefined> => this.#connect(address.serviceAddress, port, signal)
      const why = await this.#until(attempt, deadline, signal)
      if (why !== undefined) return this.#notReached(`${address.serviceAddress}:${port} (${why})`, patienceMs)
    }
    this.#reachesServices = true
    return this.#proveName(address.host, deadline, signal)
  }

  async #openPorts({ podAddress, ports }: AddressToProve, signal: AbortSignal): Promise<AddressToProve['ports']> {
    const tried = await Promise.all(
      ports.map(async (one) => ((await this.#connect(podAddress, one.podPort, signal)) === undefined ? [one] : [])),
    )
    signal.throwIfAborted()
    return tried.flat()
  }

  #notReached(what: string, patienceMs: number): ProofResult {
    const why = `nobody took a connection at ${what} for ${patienceMs / 1000} s`
    if (this.#reachesServices === true) return { state: 'refused', why }
    this.#reachesServices = false
    return unseen(`${why}: Services cannot be reached from here`)
  }

  /** A name that is asked for too early is remembered as missing by name servers: it comes last. */
  async #proveName(host: string, deadline: number, signal: AbortSignal): Promise<ProofResult> {
    if (!this.options.isInside) return { state: 'proved' }
    const { resolve = lookup } = this.options
    const attempt = (): Promise<string | undefined> => resolve(host).then(() => undefined, codeOf)
    const why = await this.#until(attempt, deadline, signal)
    if (why === undefined) return { state: 'proved' }
    return { state: 'refused', why: `the cluster’s DNS does not know the name ${host} (${why})` }
  }

  /** Undefined once an attempt succeeds; else the last reason at the deadline. */
  async #until(
    attempt: () => Promise<string | undefined>,
    deadline: number,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { clock } = this.options
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, MAX_PAUSE_MS)) {
      const why = await attempt()
      signal.throwIfAborted()
      if (why === undefined || clock.monotonicMs() + pause > deadline) return why
      await clock.sleep(pause, signal)
    }
  }

  /** Undefined when the connection is taken, else why not. */
  #connect(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
    return new Promise((resolve) => {
      const socket = connect({ host, port })
      const settle = (why?: string): void => {
        signal.removeEventListener('abort', giveUp)
        socket.destroy()
        resolve(why)
      }
      const giveUp = (): void => settle('given up')
      signal.addEventListener('abort', giveUp, { once: true })
      socket.setTimeout(this.options.connectMs ?? CONNECT_MS, () => settle('no answer'))
      socket.once('connect', () => settle())
      // Listened to for good: a socket that is destroyed may yet tell why.
      socket.on('error', (error) => settle(codeOf(error)))
    })
  }
}

function unseen(why: string): ProofResult {
  return { state: 'unseen', why }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
