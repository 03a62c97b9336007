import type { EnvManagerClient } from '@tributary/client'
import type { Environment, ImageOutcome } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { badValue, cliError } from '../errors.js'
import { durationOption, jsonOption } from '../options.js'
import { shortSha } from '../output/format.js'

const POLL_MS = 500
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/

interface DeployFlags {
  readonly image: string
  readonly commit: string
  readonly timeout: number
  readonly json?: true
}

/** `tributary deploy <env> <service>` */
export function addDeploy(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('deploy')
      .description('name the image that was built of a commit: a service with `deploy: { on: image }` waits for it')
      .argument('<env>', 'environment, or its branch')
      .argument('<service>')
      .requiredOption('--image <reference>', 'best by digest: registry.example/team/orders@sha256:…')
      .requiredOption('--commit <sha>', 'what it was built of, 40 hexadecimal digits')
      .addOption(durationOption('--timeout <duration>', 'how long the environment may take to appear', '1m')),
  ).action(async (...call: [string, string, DeployFlags, Command]) => {
    const [named, service, { image, commit: commitSha, timeout, json }, command] = call
    if (!COMMIT.test(commitSha))
      throw badValue(`--commit is the whole id of a commit, as \`git rev-parse HEAD\` prints it, not "${commitSha}"`)
    const client = await cli.envManager(command)
    const { name } = await environmentNamed(cli, client, { named, timeout })
    cli.terminal.endProgress()
    const { outcome } = await client.takeImage(name, { service, commitSha, image })
    if (json) cli.terminal.printJson({ environment: name, service, commitSha, image, outcome })
    else cli.terminal.print(`${name}/${service}: ${sayOutcome(outcome, { name, commitSha })}`)
  })
}

function sayOutcome(
  outcome: ImageOutcome,
  { name, commitSha }: { readonly name: string; readonly commitSha: string },
): string {
  const commit = shortSha(commitSha)
  const follow = `\`tributary env wait ${name}\` returns when it is ready`
  if (outcome === 'deploys') return `${commit} is deployed with this image; ${follow}`
  if (outcome === 'replaces') return `another image of ${commit} runs; this one replaces it; ${follow}`
  if (outcome === 'known') return `this image of ${commit} was named before; nothing changes`
  return `the image is kept; the environment does not wait for one of ${commit} now: \`tributary env show ${name}\``
}

/** A pipeline may be faster than the env-manager's look at git. */
async function environmentNamed(
  { runtime, terminal }: Cli,
  client: EnvManagerClient,
  { named, timeout }: { readonly named: string; readonly timeout: number },
): Promise<Environment> {
  const { clock, signal } = runtime
  const deadline = clock.monotonicMs() + timeout
  for (;;) {
    const { environments } = await client.listEnvironments({ signal })
    const found = environments.find(({ name }) => name === named) ?? environments.find(({ branch }) => branch === named)
    if (found !== undefined) return found
    if (clock.monotonicMs() >= deadline) {
      const advice = 'has it been pushed, and is its repository configured (`tributary status`)?'
      throw cliError('CLI_NOT_READY', `There is no environment or branch ${named}; ${advice}`)
    }
    terminal.progress(`${named}: waiting for the environment`)
    await clock.sleep(POLL_MS, signal)
  }
}
