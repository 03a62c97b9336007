import { killInstance, loadPlatformConfig, type LoadedPlatformConfig } from '@tributary/env-manager'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { UpFlags } from '../commands/up.js'
import type { Cli } from '../context.js'
import { DATA_FOLDER, writeContextFile } from '../context-file.js'
import { badValue, EXIT_CODES } from '../errors.js'
import { renderPairs } from '../output/table.js'
import { prepareDataFolder } from './data-folder.js'
import { instanceOf, startPlatform, type RunningPlatform } from './start-platform.js'
import { listenForStop } from './stop-request.js'

/** Starts the whole platform in this process, says where it is, and runs until it is asked to stop. */
export async function runUp(cli: Cli, flags: UpFlags): Promise<void> {
  const { runtime, terminal } = cli
  const loaded = loadConfig(cli, resolve(runtime.cwd, flags.config))
  const data = resolve(runtime.cwd, flags.data ?? runtime.env.TRIBUTARY_DATA ?? DATA_FOLDER)
  await prepareDataFolder(data)
  const stop = listenForStop(runtime, {
    onStdinEnd: flags.stopOnStdinEnd ?? false,
    force: () => void forceEnd(cli, { instance: instanceOf({ ...loaded, data }), keep: flags.keepWorkloads ?? false }),
  })
  try {
    const platform = await startPlatform({
      ...loaded,
      data,
      env: runtime.env,
      ports: portsOf(flags, loaded.config.gateway.port),
    })
    try {
      await writeContextFile(data, platform.context)
      terminal.print(welcome(cli, platform, data))
      await stop.asked
    } finally {
      terminal.note(flags.keepWorkloads ? 'stopping; services keep running …' : 'stopping …')
      await platform.stop(flags.keepWorkloads ? 'keep' : 'stop')
    }
  } finally {
    stop.release()
  }
  terminal.note('stopped')
}

/** Kills the services and ends this process, whatever the orderly stop is waiting for. */
async function forceEnd(
  { runtime, terminal }: Cli,
  { instance, keep }: { readonly instance: string; readonly keep: boolean },
): Promise<void> {
  const killed = keep ? 0 : await killInstance(instance).catch(() => 0)
  terminal.note(`forced to end${killed === 0 ? '' : `: ${killed} processes of services were killed`}`)
  runtime.exit(EXIT_CODES.interrupted)
}

function loadConfig({ runtime }: Cli, file: string): LoadedPlatformConfig {
  if (existsSync(file)) return loadPlatformConfig(file, runtime.env)
  throw badValue(
    `cannot read the configuration ${file}; there is no such file; \`tributary init\` writes one, or name another with --config`,
  )
}

function portsOf(flags: UpFlags, configured: number): { configCenter: number; envManager: number; gateway: number } {
  return { configCenter: flags.port, envManager: flags.envManagerPort, gateway: flags.gatewayPort ?? configured }
}

function welcome({ terminal }: Cli, { context }: RunningPlatform, data: string): string {
  const { style } = terminal
  return [
    style('strong', 'Tributary is running'),
    renderPairs(style, [
      ['console', `${context.envManagerUrl}/console/`],
      ['config center', context.url],
      ['env-manager', context.envManagerUrl],
      ['previews', context.gatewayUrl.replace('127.0.0.1', '<environment>.localhost')],
      ['admin token', context.tokenFile],
      ['data', data],
    ]),
    '',
    'Push a branch, then: tributary env list        Ctrl-C stops everything.',
  ].join('\n')
}
