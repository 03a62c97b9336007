import type { ProbedEdge, ProbeReport, ProbeResult } from '@tributary/contract'
import type { Command } from 'commander'
import type { Cli } from '../context.js'
import { EXIT_CODES } from '../errors.js'
import { durationOption, jsonOption } from '../options.js'
import { renderLeaks } from '../output/leaks.js'
import type { Tone } from '../output/style.js'
import { renderTable } from '../output/table.js'
import { helpNote } from '../output/help-text.js'

interface ProbeFlags {
  readonly leaks: number
  readonly json?: true
}

const TONES: Readonly<Record<ProbeResult, Tone>> = {
  carried: 'good',
  lost: 'bad',
  unanswered: 'bad',
  unreached: 'warn',
}

const HELP = `
Services answer a probe in the SDK's middleware, without running code of their own: it proves that addresses, middleware and
headers are right. What their own code does with the context is seen in real calls, so leaks of the last minutes count too.
Exit status 1 when an edge loses the context or does not answer: run your tests first, then this.`

/** `tributary probe <env>` */
export function addProbe(program: Command, cli: Cli): void {
  jsonOption(
    program
      .command('probe')
      .description('send a synthetic request through every declared call of an environment: which of them carry it?')
      .argument('<env>')
      .addOption(
        durationOption('--leaks <duration>', 'leaks of real calls that are no older count too; 0: none', '10m'),
      ),
  )
    .addHelpText('after', helpNote(HELP))
    .action(async (name: string, { leaks, json }: ProbeFlags, command: Command) => {
      const client = await cli.envManager(command)
      const leakSeconds = Math.ceil(leaks / 1_000)
      const report = await client.probe(name, { leakSeconds }, { signal: cli.runtime.signal })
      if (json) cli.terminal.printJson(report)
      else printReport(cli, report)
      if (!report.holds) cli.exitWith(EXIT_CODES.failed)
    })
}

function printReport(cli: Cli, { environment, holds, edges, leaks }: ProbeReport): void {
  const { style, print } = cli.terminal
  const rows = edges.map((edge) => [edgeName(edge), style(TONES[edge.result], edge.result), edge.detail])
  print(renderTable(style, ['edge', 'result', 'because'], rows))
  if (leaks.length > 0) print(`\n${style('bad', 'LEAKS')}\n${renderLeaks(cli, leaks)}`)
  const wrong = edges.filter(({ result }) => result !== 'carried').map(edgeName)
  print(
    holds
      ? `\n${style('good', `every call carries ${environment}`)}`
      : `\n${style('bad', `${environment} is lost`)} at ${wrong.join(', ') || 'calls of unknown callers'}`,
  )
}

function edgeName({ from, to }: ProbedEdge): string {
  return `${from ?? '(in)'} -> ${to}`
}
