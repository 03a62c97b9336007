import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, type Tributary } from '@tributary/sdk'
import { Option, type Command } from 'commander'
import { resolveConnection, type Cli } from '../context.js'
import { badValue, cliError } from '../errors.js'
import { parseCount } from '../options.js'
import { helpNote } from '../output/help-text.js'

interface ProxyFlags {
  readonly tenant?: string
  readonly service?: string
  readonly host: string
  readonly port: number
  readonly outside: 'allow' | 'deny'
  readonly connectPorts: readonly number[]
}

const DEFAULT_PORT = 3_128
const MAX_PORT = 65_535

const HELP = `
Set HTTP_PROXY=http://127.0.0.1:3128 for a program in any language, and let it pass on the \`baggage\` header of the request that it
serves (OpenTelemetry does): http://orders/ is then the orders of that request's environment. One proxy serves one
environment; one that is to show in the topology serves one service of it (--service).

It asks nobody who they are: keep it on the loopback interface, or where only the environment's programs reach it.`

/** `tributary proxy` */
export function addProxy(program: Command, cli: Cli): void {
  program
    .command('proxy')
    .description('forward proxy for programs in any language: http://<service>/ by the environment of the request')
    .option('--tenant <tenant>', 'the environment that it serves (default: TRIBUTARY_TENANT)')
    .option(
      '--service <service>',
      'whose calls it makes, for the topology (default: TRIBUTARY_SERVICE; none: they are not counted)',
    )
    .option('--host <address>', 'where it listens', '127.0.0.1')
    .option('--port <port>', 'where it listens; 0: any free port', parseCount(0), DEFAULT_PORT)
    .addOption(new Option('--outside <rule>', 'hosts that are no services').choices(['allow', 'deny']).default('allow'))
    .option('--connect-ports <ports>', 'ports outside that CONNECT may lead to, with commas', parsePorts, [443])
    .addHelpText('after', helpNote(HELP))
    .action((flags: ProxyFlags, command: Command) => serve(cli, flags, command))
}

async function serve(cli: Cli, flags: ProxyFlags, command: Command): Promise<void> {
  const { runtime, terminal } = cli
  const client = await openClient(cli, flags, command)
  try {
    const { createForwardProxy } = await import('../proxy/forward-proxy.js')
    const server = createForwardProxy(client, flags)
    server.listen(flags.port, flags.host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    terminal.print(`HTTP_PROXY=http://${flags.host.includes(':') ? `[${flags.host}]` : flags.host}:${port}`)
    if (!runtime.signal.aborted) await once(runtime.signal, 'abort')
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  } finally {
    await client.close()
  }
}

async function openClient(
  { runtime, terminal }: Cli,
  { tenant, service }: ProxyFlags,
  command: Command,
): Promise<Tributary> {
  const { url, token } = await resolveConnection(runtime, command.optsWithGlobals())
  if (tenant === undefined && (runtime.env.TRIBUTARY_TENANT ?? '') === '') {
    throw badValue('do not know which environment to serve; name it with --tenant or set TRIBUTARY_TENANT')
  }
  const client = await connect({
    env: runtime.env,
    onDiagnostic: ({ message }) => terminal.note(`tributary: ${message}`),
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(service === undefined ? {} : { service }),
  })
  if (client.holdsView) return client
  const { reason } = client.status
  await client.close()
  const advice = 'check TRIBUTARY_URL, the tenant and the token'
  throw cliError('CLI_CONFIG_UNAVAILABLE', `cannot get the addresses of ${client.tenant}; ${reason}; ${advice}`)
}

function parsePorts(text: string): readonly number[] {
  return text.split(',').map((part) => {
    const port = Number(part)
    if (!/^[0-9]+$/.test(part) || port < 1 || port > MAX_PORT) throw badValue(`${JSON.stringify(part)} is not a port`)
    return port
  })
}
