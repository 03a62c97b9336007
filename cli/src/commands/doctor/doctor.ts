import type { Command } from 'commander'
import { resolveConnection, type Cli } from '../../context.js'
import { EXIT_CODES } from '../../errors.js'
import { jsonOption } from '../../options.js'
import type { Tone } from '../../output/style.js'
import type { Instruments } from './examine.js'
import type { Finding, Verdict } from './finding.js'

const TONES: Readonly<Record<Verdict, Tone>> = { ok: 'good', warning: 'warn', failed: 'bad', skipped: 'quiet' }

/** `tributary doctor`: `instruments` only for tests. */
export function addDoctor(program: Command, cli: Cli, given?: Instruments): void {
  jsonOption(
    program
      .command('doctor')
      .description(
        'checks programs, configuration, cluster permissions, servers, store, clocks and ports, and says what to do',
      ),
  ).action(async ({ json }: { json?: true }, command: Command) => {
    const { examine, instruments } = await import('./examine.js')
    const connection = await resolveConnection(cli.runtime, command.optsWithGlobals())
    const findings = await examine(cli.runtime, connection, given ?? instruments(cli.runtime))
    if (json) cli.terminal.printJson({ healthy: isHealthy(findings), findings })
    else printFindings(cli, findings)
    if (!isHealthy(findings)) cli.exitWith(EXIT_CODES.failed)
  })
}

function isHealthy(findings: readonly Finding[]): boolean {
  return findings.every(({ verdict }) => verdict !== 'failed')
}

function printFindings({ terminal }: Cli, findings: readonly Finding[]): void {
  const { style, print } = terminal
  const width = Math.max(...findings.map(({ check }) => check.length))
  for (const { check, verdict, found, advice } of findings) {
    print(`${style(TONES[verdict], verdict.padEnd('skipped'.length))}  ${check.padEnd(width)}  ${found}`)
    if (advice !== undefined) print(`${' '.repeat('skipped'.length + 2 + width + 2)}${style('strong', '->')} ${advice}`)
  }
  const count = (verdict: Verdict): number => findings.filter((each) => each.verdict === verdict).length
  print('')
  print(
    `${count('failed')} failed, ${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}, ${count('ok')} ok`,
  )
}
