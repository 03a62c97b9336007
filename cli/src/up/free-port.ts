import { createServer } from 'node:net'
import { cliError } from '../errors.js'

/** A port that `up` wants to listen on. */
export interface WantedPort {
  readonly port: number
  /** Who listens there, for people. */
  readonly who: string
  /** The flag that names another one. */
  readonly flag: string
}

/** Looks before anything is started, so that a taken port leaves nothing half done. `CLI_PORT_IN_USE`. Port 0 is always free. */
export async function requireFreePorts(host: string, wanted: readonly WantedPort[]): Promise<void> {
  for (const { port, who, flag } of wanted) {
    if (port === 0) continue
    const code = await listenError(host, port)
    if (code === undefined) continue
    const cause = code === 'EADDRINUSE' ? 'another program listens there' : code
    throw cliError(
      'CLI_PORT_IN_USE',
      `cannot use port ${port} for the ${who}; ${cause}; end that program or choose another port with ${flag}`,
    )
  }
}

function listenError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}
