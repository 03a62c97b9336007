import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A server of somebody else's, with a folder of its own, on free ports of 127.0.0.1. */
export interface ServerProcess {
  readonly port: number
  readonly pid: number
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/** Which program, with which arguments. */
export interface ServerCommand {
  readonly program: string
  readonly arguments: (place: {
    readonly port: number
    readonly secondPort: number
    readonly folder: string
  }) => readonly string[]
}

const START_MS = 15_000

/** Whether a program is on the path. */
export function isInstalled(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** Starts the program and resolves when its port takes connections. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tributary-bench-'))
  const [port, secondPort] = await freePorts()
  const child = spawn(command.program, command.arguments({ port, secondPort, folder }), {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: 'ignore',
  })
  const reap = (): unknown => child.kill('SIGKILL')
  process.once('exit', reap)
  const stop = async (): Promise<void> => {
    process.removeListener('exit', reap)
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    await rm(folder, { recursive: true, force: true })
  }
  const deadline = performance.now() + START_MS
  while (!(await accepts(port))) {
    if (performance.now() < deadline && child.exitCode === null) {
      await sleep(20)
      continue
    }
    await stop()
    throw new Error(`${command.program} does not listen on port ${port}`)
  }
  return { port, pid: child.pid ?? -1, stop }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Both are held until both are known, so that they differ. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')))
  const [first = 0, second = 0] = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return [first, second]
}
