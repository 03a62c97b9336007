import {
  formatProblem,
  parsePlatformConfig,
  parseServiceFile,
  PLATFORM_CONFIG_FILE,
  type Problem,
} from '@tributary/env-manager'
import { access, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { InitFlags } from '../commands/init.js'
import type { Cli } from '../context.js'
import { badValue, cliError } from '../errors.js'
import { propose, type Answers } from './answers.js'
import type { Questions } from './ask.js'
import { lookAround } from './look-around.js'
import { renderPlatformFile, renderServiceFile } from './render-files.js'

/** Asks, or takes what the options say; checks what it makes of it with the parsers that read it later; writes what is not there yet. */
export async function runInit(cli: Cli, folder: string, flags: InitFlags): Promise<void> {
  const directory = resolve(cli.runtime.cwd, folder)
  const service = await target(cli, join(directory, 'service.yaml'), flags)
  const platform = await target(cli, join(cli.runtime.cwd, PLATFORM_CONFIG_FILE), flags)
  if (!service.wanted && !platform.wanted) return
  const proposed = propose(flags, await lookAround(directory))
  const answers = await answersFor(cli, flags, { proposed, service: service.wanted, platform: platform.wanted })
  const texts = { service: renderServiceFile(answers), platform: renderPlatformFile(answers) }
  requireValid([
    ...(service.wanted ? serviceProblems(texts.service) : []),
    ...(platform.wanted ? platformProblems(texts.platform) : []),
  ])
  if (service.wanted) await write(cli, { ...service, text: texts.service })
  if (platform.wanted) await write(cli, { ...platform, text: texts.platform })
  cli.terminal.print('Commit and push service.yaml, then: tributary up')
}

interface Target {
  readonly path: string
  readonly shown: string
  /** It is to be written: it is not there, or may be written over. */
  readonly wanted: boolean
  readonly flag: 'w' | 'wx'
}

/** Says so before anybody is asked when a file is there and stays. */
async function target({ runtime, terminal }: Cli, path: string, flags: InitFlags): Promise<Target> {
  const force = flags.force === true
  const shown = relative(runtime.cwd, path) || path
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (exists && !force) terminal.note(`${shown} is there already and stays as it is; --force writes over it`)
  return { path, shown, wanted: force || !exists, flag: force ? 'w' : 'wx' }
}

async function answersFor({ runtime }: Cli, flags: InitFlags, questions: Questions): Promise<Answers> {
  const { proposed, platform } = questions
  if (flags.yes !== true && runtime.interactive) return (await import('./ask.js')).ask(questions)
  if (!platform || proposed.repository !== '') return proposed
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
  { terminal }: Cli,
  { path, shown, flag, text }: Target & { readonly text: string },
): Promise<void> {
  try {
    await writeFile(path, text, { flag })
  } catch (error) {
    throw cliError('CLI_FILE_UNWRITABLE', `cannot write ${shown}; is the folder there, and may you write to it?`, error)
  }
  terminal.print(`wrote ${shown}`)
}
