import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-ports.js'
import { ServerProcess } from './server-process.js'

/** What has to be installed for {@link RedisServer}. */
export const REDIS = { command: 'redis-server', debianPackage: 'redis-server' } as const

/** A real Redis on a free port of 127.0.0.1, in memory only. */
export class RedisServer {
  readonly port: number
  readonly #process: ServerProcess
  readonly #directory: string

  private constructor(port: number, server: ServerProcess, directory: string) {
    this.port = port
    this.#process = server
    this.#directory = directory
  }

  static async start(): Promise<RedisServer> {
    const port = await freePort()
    const directory = await mkdtemp(join(tmpdir(), 'tributary-redis-'))
    const settings = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no']
    const args = [...settings, '--dir', directory, '--maxmemory-policy', 'noeviction']
    const server = await ServerProcess.start({ command: REDIS.command, args, readyLine: /Ready to accept connections/ })
    return new RedisServer(port, server, directory)
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL')
    await rm(this.#directory, { recursive: true, force: true })
  }
}
