import { request } from 'node:http'
import { connect } from 'node:net'

/** What to ask. Without a path, a TCP connection is enough. */
export interface HealthProbe {
  readonly host: string
  readonly port: number
  readonly path: string | null
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** Undefined when all is well; otherwise one readable line saying what is not. Never rejects. */
export function probeHealth(probe: HealthProbe): Promise<string | undefined> {
  return probe.path === null ? probeTcp(probe) : probeHttp(probe, probe.path)
}

function probeHttp(probe: HealthProbe, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      {
        host: probe.host,
        port: probe.port,
        path,
        agent: false,
        timeout: probe.timeoutMs,
        headers: { 'user-agent': 'tributary-health', connection: 'close' },
        ...(probe.signal === undefined ? {} : { signal: probe.signal }),
      },
      (response) => {
        response.destroy()
        const status = response.statusCode ?? 0
        resolve(status >= 200 && status < 400 ? undefined : `GET ${path} answered ${status}`)
      },
    )
    asked.once('timeout', () => {
      resolve(`GET ${path} did not answer within ${probe.timeoutMs} ms`)
      asked.destroy()
    })
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(`GET ${path} failed: ${describe(error, probe.port)}`))
    asked.end()
  })
}

function probeTcp(probe: HealthProbe): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: probe.host, port: probe.port, timeout: probe.timeoutMs })
    const finish = (problem?: string): void => {
      resolve(problem)
      socket.destroy()
    }
    socket.once('connect', () => finish())
    socket.once('timeout', () => finish(`no connection to port ${probe.port} within ${probe.timeoutMs} ms`))
    socket.on('error', (error: NodeJS.ErrnoException) => finish(describe(error, probe.port)))
  })
}

function describe(error: NodeJS.ErrnoException, port: number): string {
  return error.code === 'ECONNREFUSED' ? `nothing listens on port ${port} yet` : (error.code ?? error.message)
}
