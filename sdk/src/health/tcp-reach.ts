import { connect } from 'node:net'

/** Whether a TCP connection was made, how long it took, and what failed. */
export interface Reach {
  readonly reachable: boolean
  readonly elapsedMs: number
  readonly problem?: string
}

/** Opens and closes a TCP connection. Never rejects. */
export function reachTcp(host: string, port: number, timeoutMs: number): Promise<Reach> {
  const startedAt = performance.now()
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    const finish = (problem?: string): void => {
      socket.destroy()
      const elapsedMs = Math.round(performance.now() - startedAt)
      resolve(problem === undefined ? { reachable: true, elapsedMs } : { reachable: false, elapsedMs, problem })
    }
    socket.setTimeout(timeoutMs, () => finish(`no connection within ${timeoutMs} ms`))
    socket.once('connect', () => finish())
    socket.once('error', (error) => finish(error.message))
  })
}
