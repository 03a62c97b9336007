import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../free-ports.js'
import { ServerProcess } from './server-process.js'

/** What has to be installed for {@link RabbitmqServer}. The script on the PATH would change to a user of its own. */
export const RABBITMQ = { command: '/usr/lib/rabbitmq/bin/rabbitmq-server', debianPackage: 'rabbitmq-server' } as const

const START_MS = 60_000

/** A real RabbitMQ on free ports of 127.0.0.1, with a data directory and a port mapper (epmd) of its own. */
export class RabbitmqServer {
  readonly port: number
  readonly #processes: readonly ServerProcess[]
  readonly #directory: string

  private constructor(port: number, processes: readonly ServerProcess[], directory: string) {
    this.port = port
    this.#processes = processes
    this.#directory = directory
  }

  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`
  }

  static async start(): Promise<RabbitmqServer> {
    const [port = 0, distributionPort = 0, mapperPort = 0] = await freePorts(3)
    const directory = await mkdtemp(join(tmpdir(), 'tributary-rabbitmq-'))
    const mapper = await ServerProcess.start({
      command: 'epmd',
      args: ['-address', '127.0.0.1', '-port', String(mapperPort), '-debug'],
      readyLine: /epmd running/,
    })
    try {
      const env = await environmentOf(directory, { port, distributionPort, mapperPort })
      const options = { command: RABBITMQ.command, args: [], env, readyTimeoutMs: START_MS }
      const server = await ServerProcess.start({ ...options, readyLine: /Server startup complete/ })
      return new RabbitmqServer(port, [server, mapper], directory)
    } catch (error) {
      await mapper.stop('SIGKILL')
      throw error
    }
  }

  async stop(): Promise<void> {
    for (const each of this.#processes) await each.stop()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

async function environmentOf(
  directory: string,
  ports: { readonly port: number; readonly distributionPort: number; readonly mapperPort: number },
): Promise<Record<string, string>> {
  const plugins = join(directory, 'enabled_plugins')
  await writeFile(plugins, '[].\n')
  await mkdir(join(directory, 'home'))
  return {
    HOME: join(directory, 'home'),
    LANG: 'C.UTF-8',
    ERL_EPMD_PORT: String(ports.mapperPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `test${ports.port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.port),
    RABBITMQ_DIST_PORT: String(ports.distributionPort),
    RABBITMQ_MNESIA_BASE: join(directory, 'data'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_PID_FILE: join(directory, 'pid'),
  }
}
