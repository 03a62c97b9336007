import type { EnvManagerClient } from '@tributary/client'
import { Argument, type Command } from 'commander'
import { complete, type Candidate, type WantedName } from '../completion/candidates.js'
import { completionScript, SHELLS, type Shell } from '../completion/scripts.js'
import type { Cli } from '../context.js'
import { helpNote } from '../output/help-text.js'

/** A person waits for the Tab key no longer than this. */
const PATIENCE_MS = 1_500

/** `tributary completion <shell>`, and what its scripts call at each Tab. */
export function addCompletion(program: Command, cli: Cli): void {
  program
    .command('completion')
    .description('print a script that completes commands, options and names of environments at the Tab key')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .addHelpText(
      'after',
      helpNote(
        [
          'Read it in each shell:',
          '  ~/.bashrc  source <(tributary completion bash)',
          '  ~/.zshrc   source <(tributary completion zsh)',
          '  fish       tributary completion fish > ~/.config/fish/completions/tributary.fish',
        ].join('\n'),
      ),
    )
    .action((shell: Shell) => cli.runtime.stdout.write(completionScript(shell)))
  program
    .command('complete', { hidden: true })
    .description('candidates for the last of some words, one a line')
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words: readonly string[], _flags: unknown, command: Command) => {
      const { candidates, wanted } = complete(program, words)
      const names = wanted === undefined ? [] : await namesOf(cli, command, wanted)
      const typed = words.at(-1) ?? ''
      for (const { value, description } of [...candidates, ...names.filter(({ value }) => value.startsWith(typed))]) {
        cli.terminal.print(`${value}\t${description.replaceAll(/\s+/g, ' ')}`)
      }
    })
}

/** Nobody is told why there are no names: the person is in the middle of a line. */
async function namesOf(cli: Cli, command: Command, wanted: WantedName): Promise<readonly Candidate[]> {
  try {
    const signal = AbortSignal.any([cli.runtime.signal, AbortSignal.timeout(PATIENCE_MS)])
    const list = NAMES[wanted.kind]
    return list === undefined ? [] : await list(await cli.envManager(command), { before: wanted.before, signal })
  } catch {
    return []
  }
}

interface NameQuery {
  readonly before: readonly string[]
  readonly signal: AbortSignal
}
type NameList = (client: EnvManagerClient, query: NameQuery) => Promise<readonly Candidate[]>

const environments: NameList = async (client, { signal }) =>
  (await client.listEnvironments({ signal })).environments.map(({ name, phase, branch }) => ({
    value: name,
    description: `${phase}, ${branch}`,
  }))

const runs: NameList = async (client, { signal }) =>
  (await client.listRuns({ limit: 20 }, { signal })).runs.map(({ runId, kind, environment, state }) => ({
    value: runId,
    description: `${kind} of ${environment}, ${state}`,
  }))

/** Those that the environment before it sees; without one, those that integration has. */
const services: NameList = async (client, { before, signal }) => {
  const { nodes } = await client.getTopology(before[0] ?? 'integration', { signal })
  return nodes.map(({ service, state, owner }) => ({ value: service, description: `${state} ${owner ?? ''}` }))
}

/** What can be asked for, by what arguments and option values are called. */
const NAMES: Readonly<Record<string, NameList>> = {
  name: environments,
  env: environments,
  environment: environments,
  other: environments,
  tenant: environments,
  run: async (client, query) => [...(await runs(client, query)), ...(await environments(client, query))],
  runId: runs,
  service: services,
  call: services,
}
