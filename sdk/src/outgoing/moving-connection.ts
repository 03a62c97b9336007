import type { Socket } from 'node:net'

/** How a connection that cannot be made is made elsewhere. */
export interface Move {
  /** Gets the connection, once. */
  readonly callback: (error: Error | null, socket?: Socket) => void
  /** Begins the connection to where the service is now; undefined: there is nowhere else. */
  readonly elsewhere: () => Socket | undefined
}

/**
 * A refused connection is known within a round trip. One that only hangs is handed over as it is, so that the timeouts that the program
 * has set for its request see it.
 */
const HAND_OVER_MS = 200

const REFUSALS = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNRESET'])

/**
 * Hands over a connection once it stands, or the one elsewhere if it is refused. Nothing has been sent by then, so every method may move.
 */
export function handOver(first: Socket, { callback, elsewhere }: Move): void {
  let looked: NodeJS.Immediate | undefined
  const settle = (error: Error | null, socket?: Socket): void => {
    clearTimeout(timer)
    clearImmediate(looked)
    first.off('connect', onConnect)
    first.off('error', onError)
    callback(error, socket)
  }
  const onConnect = (): void => settle(null, first)
  const onError = (error: Error): void => {
    const next = isRefusal(error) ? elsewhere() : undefined
    if (next === undefined) settle(error)
    else settle(null, next)
  }
  // A process that was kept waiting sees its timers before the refusals that have come meanwhile: those are looked at first.
  const timer = setTimeout(() => {
    looked = setImmediate(onConnect)
  }, HAND_OVER_MS)
  first.once('connect', onConnect)
  first.once('error', onError)
}

function isRefusal(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && REFUSALS.has(error.code)
}
