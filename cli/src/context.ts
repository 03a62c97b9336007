import {
  createConfigCenterClient,
  createEnvManagerClient,
  type ClientOptions,
  type ConfigCenterClient,
  type EnvManagerClient,
} from '@tributary/client'
import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { findContextFile, readContextFile, type ContextFile } from './context-file.js'
import { badValue, cliError } from './errors.js'
import { createTerminal, type Terminal } from './output/terminal.js'
import type { CliRuntime } from './runtime.js'

/** What every command gets: the process, where to print, and clients of the two servers. */
export interface Cli {
  readonly runtime: CliRuntime
  readonly terminal: Terminal
  /** Client of the config center that flags, environment variables or the context file name, in this order. */
  readonly configCenter: (command: Command) => Promise<ConfigCenterClient>
  readonly envManager: (command: Command) => Promise<EnvManagerClient>
  /** Sets the exit status of a command that ends without an error, e.g. that of the program which `exec` ran. */
  readonly exitWith: (status: number) => void
}

/** Where the servers are and who asks. */
export interface Connection {
  readonly url: string | undefined
  readonly envManagerUrl: string | undefined
  readonly token: string | undefined
}

/** Adds the options that say which servers to talk to. They go with every command. */
export function addConnectionOptions(program: Command): Command {
  return program
    .option('--url <url>', 'config center (default: TRIBUTARY_URL, or what `tributary up` wrote)')
    .option('--env-manager-url <url>', 'env-manager (default: TRIBUTARY_ENV_MANAGER_URL, or what `tributary up` wrote)')
    .option(
      '--token-file <path>',
      'file that holds the token (default: TRIBUTARY_TOKEN, TRIBUTARY_TOKEN_FILE, or what `tributary up` wrote)',
    )
    .option('--data <folder>', 'data folder of `tributary up` (default: the nearest .tributary from here upwards)')
    .option('--debug', 'show the stack of an error')
}

interface ConnectionFlags {
  readonly url?: string
  readonly envManagerUrl?: string
  readonly tokenFile?: string
  readonly data?: string
}

/** Makes what the commands share. */
export function createCli(runtime: CliRuntime, exitWith: (status: number) => void = () => {}): Cli {
  const connect = async (command: Command): Promise<Connection> => resolveConnection(runtime, command.optsWithGlobals())
  const options = (baseUrl: string | undefined, server: string, token: string | undefined): ClientOptions => ({
    baseUrl: requireUrl(baseUrl, server),
    ...(token === undefined ? {} : { token }),
    ...(runtime.fetch === undefined ? {} : { fetch: runtime.fetch }),
  })
  return {
    runtime,
    terminal: createTerminal(runtime),
    exitWith,
    configCenter: async (command) => {
      const { url, token } = await connect(command)
      return createConfigCenterClient(options(url, 'config center', token))
    },
    envManager: async (command) => {
      const { envManagerUrl, token } = await connect(command)
      return createEnvManagerClient(options(envManagerUrl, 'env-manager', token))
    },
  }
}

/** Flags before environment variables before the context file, each value for itself. */
export async function resolveConnection(runtime: CliRuntime, flags: ConnectionFlags): Promise<Connection> {
  const context = once(() => loadContext(runtime, flags.data))
  return {
    url: flags.url ?? present(runtime.env.TRIBUTARY_URL) ?? (await context())?.url,
    envManagerUrl:
      flags.envManagerUrl ?? present(runtime.env.TRIBUTARY_ENV_MANAGER_URL) ?? (await context())?.envManagerUrl,
    token: await resolveToken(runtime, flags, context),
  }
}

async function resolveToken(
  runtime: CliRuntime,
  flags: ConnectionFlags,
  context: () => Promise<ContextFile | undefined>,
): Promise<string | undefined> {
  if (flags.tokenFile !== undefined) return readToken(resolve(runtime.cwd, flags.tokenFile))
  const fromEnvironment = present(runtime.env.TRIBUTARY_TOKEN)
  if (fromEnvironment !== undefined) return fromEnvironment
  const file = present(runtime.env.TRIBUTARY_TOKEN_FILE)
  if (file !== undefined) return readToken(resolve(runtime.cwd, file))
  // A token of the context file belongs to its servers: it is not sent to one that was named in another way.
  if (namesServer(runtime, flags)) return undefined
  const found = await context()
  return found === undefined ? undefined : readToken(found.tokenFile)
}

function namesServer({ env }: CliRuntime, { url, envManagerUrl }: ConnectionFlags): boolean {
  const names = [url, envManagerUrl, present(env.TRIBUTARY_URL), present(env.TRIBUTARY_ENV_MANAGER_URL)]
  return names.some((name) => name !== undefined)
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw cliError(
      'CLI_NO_TOKEN',
      `cannot read the token file ${path}; name another with --token-file or set TRIBUTARY_TOKEN`,
      error,
    )
  })
  if (text.trim() === '')
    throw cliError(
      'CLI_NO_TOKEN',
      `the token file ${path} is empty; name another with --token-file or set TRIBUTARY_TOKEN`,
    )
  return text.trim()
}

function loadContext(runtime: CliRuntime, data: string | undefined): Promise<ContextFile | undefined> {
  const folder = data ?? present(runtime.env.TRIBUTARY_DATA)
  return folder === undefined ? findContextFile(runtime.cwd) : readContextFile(resolve(runtime.cwd, folder))
}

function requireUrl(url: string | undefined, server: string): string {
  if (url === undefined) {
    throw cliError(
      'CLI_NO_SERVER',
      `do not know where the ${server} is; no flag, environment variable or .tributary folder says so; start \`tributary up\` or set TRIBUTARY_URL and TRIBUTARY_ENV_MANAGER_URL`,
    )
  }
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw badValue(
      `the ${server}'s address ${JSON.stringify(url)} is not an http URL; write it like http://127.0.0.1:7400`,
    )
  }
  return url
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value
}

function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined
  return () => (loaded ??= load())
}
