import {
  formatProblem,
  parsePlatformConfig,
  parseServiceFile,
  PLATFORM_CONFIG_FILE,
  type Problem,
} from '@tributary/env-manager'
import { writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { InitFlags } from '../commands/init.js'
import type { Cli } from '../context.js'
import { badValue, cliError } from '../errors.js'
import { propose, type Answers } from './answers.js'
import { lookAround } from './look-around.js'
import { renderPlatformFile, renderServiceFile } from './render-files.js'

/** Asks, or takes what the options say; checks both files with the parsers that read them later; writes them. */
export async function runInit(cli: Cli, folder: string, flags: InitFlags): Promise<void> {
  const directory = resolve(cli.runtime.cwd, folder)
  const proposed = propose(flags, await lookAround(directory))
  const answers = await answersFor(cli, flags, proposed)
  const files = [
    { path: join(directory, 'service.yaml'), text: renderServiceFile(answers) },
    { path: join(cli.runtime.cwd, PLATFORM_CONFIG_FILE), text: renderPlatformFile(answers) },
  ]
  const [service, platform] = files
  requireValid([...serviceProblems(service?.text ?? ''), ...platformProblems(platform?.text ?? '')])
  for (const file of files) await write(cli, file, flags.force ?? false)
  cli.terminal.print('Commit and push service.yaml, then: tributary up')
}

async function answersFor(cli: Cli, flags: InitFlags, proposed: Answers): Promise<Answers> {
  if (flags.yes !== true && cli.runtime.stdout.isTTY) return (await import('./ask.js')).ask(proposed)
  if (proposed.repository !== '') return proposed
  throw badValue(
    'do not know the git repository: the folder has no origin, and nobody can be asked; name it with --repository',
  )
}

function serviceProblems(text: string): readonly Problem[] {
  return parseServiceFile('service.yaml', text).broken.flatMap(({ problems }) => problems)
}

function platformProblems(text: string): readonly Problem[] {
  const parsed = parsePlatformConfig(PLATFORM_CONFIG_FILE, text)
  return 'problems' in parsed ? parsed.problems : []
}

function requireValid(problems: readonly Problem[]): void {
  if (problems.length === 0) return
  throw badValue(`nothing was written, since it could not be used: ${problems.map(formatProblem).join('; ')}`)
}

async function write(
  { runtime, terminal }: Cli,
  { path, text }: { readonly path: string; readonly text: string },
  force: boolean,
): Promise<void> {
  const shown = relative(runtime.cwd, path) || path
  try {
    await writeFile(path, text, { flag: force ? 'w' : 'wx' })
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (exists) return terminal.note(`${shown} is there already and was left as it is; --force writes over it`)
    throw cliError('CLI_FILE_UNWRITABLE', `cannot write ${shown}; is the folder there, and may you write to it?`, error)
  }
  terminal.print(`wrote ${shown}`)
}
