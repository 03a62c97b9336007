import type { Run, RunStep } from '@tributary/contract'
import type { Cli } from '../../context.js'
import { cliError } from '../../errors.js'
import { elapsed, stateTone } from '../../output/format.js'

/** Shows runs as they go on: each step once, when it has ended; those that run in the progress line. */
export class RunProgress {
  readonly #printed = new Set<string>()

  /** `named`: each line says whose run it is. */
  constructor(
    private readonly cli: Pick<Cli, 'terminal' | 'runtime'>,
    private readonly named = false,
  ) {}

  /** Prints the steps that have ended since the last call. */
  show(run: Run): void {
    const { terminal } = this.cli
    for (const step of run.steps) {
      const key = `${run.runId} ${stepName(step)}`
      if (step.finishedAt === null || step.state === 'skipped' || this.#printed.has(key)) continue
      this.#printed.add(key)
      terminal.endProgress()
      terminal.print(`${this.#lead(run)}${this.#stepText(step)}`)
    }
    const running = run.state === 'running' ? run.steps.filter(({ state }) => state === 'running') : []
    if (running.length > 0) terminal.progress(`${this.#lead(run)}running: ${running.map(stepName).join(', ')}`)
  }

  /** Prints what is left of a run that has ended, and how it ended. */
  end(run: Run): void {
    this.show(run)
    this.cli.terminal.endProgress()
    const took = elapsed(run.startedAt, run.finishedAt, this.cli.runtime.clock.now())
    const { style, print } = this.cli.terminal
    print(
      `${this.#lead(run)}${style(stateTone(run.state), `${run.kind} of ${run.environment} ${run.state} in ${took}`)}`,
    )
  }

  #stepText(step: RunStep): string {
    const { style } = this.cli.terminal
    const took = elapsed(step.startedAt, step.finishedAt, this.cli.runtime.clock.now())
    const message = step.message === null ? '' : `: ${step.message}`
    return `${style(stateTone(step.state), step.state.padEnd(9))} ${took.padStart(8)}  ${stepName(step)}${message}`
  }

  #lead({ environment }: Run): string {
    return this.named ? `${this.cli.terminal.style('accent', environment)}  ` : ''
  }
}

/** The failure of a run that did not succeed: the cause first, then where more stands. */
export function runFailure(run: Run): Error {
  const cause = run.error?.message ?? `it ended as ${run.state}`
  return cliError(
    'CLI_RUN_FAILED',
    `${run.kind} of ${run.environment} did not succeed; ${cause}; see \`tributary runs logs ${run.runId}\``,
  )
}

function stepName({ name, service }: RunStep): string {
  return service === undefined ? name : `${name} ${service}`
}
