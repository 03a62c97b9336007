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
  #signals = 0

  constructor(options: ProgramOptions) {
    this.#options = options
  }

  /** The first signal asks, the second one kills. */
  forward(signal: NodeJS.Signals): void {
    this.#signals += 1
    if (this.#signals === 1) this.#child?.signal(signal)
    else void this.#child?.stop(0)
  }

  async run(): Promise<ChildStatus> {
    const { source, onChange, debounceMs, graceMs } = this.#options
    const feed = createChangeFeed(onChange === 'nothing' ? () => () => {} : source.onChange, debounceMs)
    try {
      let applied = await this.#prepare()
      this.#child = await this.#start(applied)
      for (;;) {
        const event = await Promise.race([this.#child.exited, feed.next()])
        if (event !== 'changed') return event
        const next = await this.#prepareAgain(applied)
        if (next !== applied && this.#signals === 0) await this.#react(next)
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

  async #react(next: Prepared): Promise<void> {
    const { onChange, command, graceMs, note } = this.#options
    if (onChange !== 'restart' && onChange !== 'nothing') {
      note(`config has changed: ${onChange} to ${command}`)
      return this.#child?.signal(onChange)
    }
    note(`config has changed: restarting ${command}`)
    await this.#child?.stop(graceMs)
    // A signal that came meanwhile meant "end": the loop then sees that the program has ended.
    if (this.#signals === 0) this.#child = await this.#start(next)
  }

  #start({ variables }: Prepared): Promise<Child> {
    const { runtime, command, args } = this.#options
    return startChild({ command, args, cwd: runtime.cwd, env: { ...runtime.env, ...variables } })
  }
}
