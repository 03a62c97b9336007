import { connect } from 'node:net'
import { ok, warning, type Finding } from './finding.js'

/** Whether something takes connections on a port of this machine. */
export type ProbePort = (port: number) => Promise<boolean>

/** What `tributary up` listens on. */
const PORTS = { 'config center': 7400, 'env-manager': 7401, gateway: 7480 } as const
const TIMEOUT_MS = 1_000

/** The ports of `tributary up` are free, or ours. `ours`: addresses that answered as servers of Tributary. */
export async function checkPorts(probe: ProbePort, ours: readonly string[]): Promise<readonly Finding[]> {
  const isOurs = (port: number): boolean => ours.some((url) => new URL(url).port === String(port))
  // The gateway has no address of its own in the configuration: where our servers run, it does.
  const gatewayIsOurs = isOurs(PORTS['config center']) && isOurs(PORTS['env-manager'])
  return Promise.all(
    Object.entries(PORTS).map(async ([name, port]) => {
      const check = `port ${port}`
      if (isOurs(port) || (name === 'gateway' && gatewayIsOurs)) return ok(check, `Tributary's ${name}`)
      if (!(await probe(port))) return ok(check, `free for the ${name}`)
      return warning(
        check,
        `in use by something else`,
        `end it before \`tributary up\`, or give the ${name} another port`,
      )
    }),
  )
}

/** {@link ProbePort} on the loopback. */
export const probePort: ProbePort = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: TIMEOUT_MS })
    const end = (isTaken: boolean) => (): void => {
      socket.destroy()
      resolve(isTaken)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
