import { constants } from 'node:os'
import type { CliRuntime } from '../runtime.js'
import { createChangeFeed } from './change-feed.js'
import { startChild, type Child, type ChildStatus } from './child.js'
import { writeConfigFile } from './config-file.js'
import { toEnvironmentVariables, type ProgramConfig } from './environment-variables.js'

/** Where the program's config comes from and how changes are heard of. */
export interface ConfigSource {
  readonly current: () => ProgramConfig
  /** Calls `handler` after each change, until the returned function is called. */
  readonly onChange: (handler: () => void) => () => void
}

/** What happens to the program when its config or an address changes. */
export type ChangeAction = 'restart' | 'nothing' | NodeJS.Signals

/** One program under the eye of `tributary exec`. */
export interface ProgramOptions {
  readonly runtime: CliRuntime
  readonly source: ConfigSource
  readonly command: string
  readonly args: readonly string[]
  readonly envPrefix: string
  /** Absolute; none: no file is written. */
  readonly configFile?: string | undefined
  readonly onChange: ChangeAction
  /** Changes that come closer together than this count as one. */
  readonly debounceMs: number
  /** How long the program may take to end before it is killed. */
  readonly graceMs: number
  readonly note: (text: string) => void
}

/**
 * Runs the program until it ends by itself and answers its status. While it runs, changes restart or signal it, and the process's
 * signals are forwarded to it; the second one kills it. Nothing of its process group is left at the end.
 */
export async function runProgram(options: ProgramOptions): Promise<ChildStatus> {
  const program = new Program(options)
  const release = options.runtime.takeSignals((signal) => program.forward(signal))
  try {
    return await program.run()
  } finally {
    release()
  }
}

interface Prepared {
  readonly variables: Readonly<Record<string, string>>
  readonly fingerprint: string
}

class Program {
  readonly #options: ProgramOptions
  #child: Child | undefined
  readonly #signals: NodeJS.Signals[] = []

  constructor(options: ProgramOptions) {
    this.#options = options
  }

  /** The first signal asks, the second one kills. What comes before there is a program to tell is told to it once it runs. */
  forward(signal: NodeJS.Signals): void {
    this.#signals.push(signal)
    this.#tell(this.#child)
  }

  #tell(child: Child | undefined): void {
    const [asked, again] = this.#signals
    if (again !== undefined) void child?.stop(0)
    else if (asked !== undefined) child?.signal(asked)
  }

  async run(): Promise<ChildStatus> {
    const { source, onChange, debounceMs, graceMs } = this.#options
    const feed = createChangeFeed(onChange === 'nothing' ? () => () => {} : source.onChange, debounceMs)
    try {
      let applied = await this.#prepare()
      const [early] = this.#signals
      if (early !== undefined) return 128 + constants.signals[early]
      let child = await this.#start(applied)
      for (;;) {
        const event = await Promise.race([child.exited, feed.next()])
        if (event !== 'changed') return event
        const next = await this.#prepareAgain(applied)
        if (next !== applied && this.#signals.length === 0) child = await this.#react(child, next)
        applied = next
      }
    } finally {
      feed.close()
      await this.#child?.stop(graceMs)
    }
  }

  async #prepare(): Promise<Prepared> {
    const { source, envPrefix, configFile } = this.#options
    const current = source.current()
    const variables = toEnvironmentVariables(current, envPrefix)
    if (configFile !== undefined) await writeConfigFile(configFile, current.config)
    return { variables, fingerprint: JSON.stringify([variables, current.config]) }
  }

  /** What the program should have now; what it had when that is the same, or cannot be made: it goes on with the last good one. */
  async #prepareAgain(applied: Prepared): Promise<Prepared> {
    try {
      const next = await this.#prepare()
      return next.fingerprint === applied.fingerprint ? applied : next
    } catch (error) {
      this.#options.note(`cannot use the new config: ${error instanceof Error ? error.message : String(error)}`)
      return applied
    }
  }

  /** Answers what runs from then on. */
  async #react(child: Child, next: Prepared): Promise<Child> {
    const { onChange, command, graceMs, note } = this.#options
    if (onChange !== 'restart' && onChange !== 'nothing') {
      note(`config has changed: ${onChange} to ${command}`)
      child.signal(onChange)
      return child
    }
    note(`config has changed: restarting ${command}`)
    await child.stop(graceMs)
    // A signal that came meanwhile meant "end": the loop then sees that the program has ended.
    return this.#signals.length === 0 ? this.#start(next) : child
  }

  /** A signal that comes while the program is being started is for it, and for nobody else. */
  async #start({ variables }: Prepared): Promise<Child> {
    const { runtime, command, args } = this.#options
    const child = await startChild({ command, args, cwd: runtime.cwd, env: { ...runtime.env, ...variables } })
    this.#child = child
    this.#tell(child)
    return child
  }
}
