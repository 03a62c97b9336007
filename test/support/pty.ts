import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { stripVTControlCharacters } from 'node:util'
import { waitFor } from './wait-for.js'

/** What gives a program a terminal: part of every Debian. */
export const SCRIPT = { command: 'script', debianPackage: 'bsdutils' } as const

/** What is run in a terminal. */
export interface TerminalOptions {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Default 80. */
  readonly columns?: number
}

/** A program in a terminal of its own, with somebody who types and reads. */
export class TerminalSession {
  readonly #child: ChildProcess
  readonly #ended: Promise<number | null>
  #output = ''
  #read = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.on('data', (chunk) => (this.#output += String(chunk)))
    // Whoever types into a program that has just ended sees it by what is on the screen.
    child.stdin?.on('error', () => {})
    this.#ended = once(child, 'close').then(() => child.exitCode)
  }

  static start({ command, cwd, env, columns = 80 }: TerminalOptions): TerminalSession {
    const line = `stty columns ${columns} rows 40 && exec ${command.map(quoted).join(' ')}`
    const child = spawn(SCRIPT.command, ['--quiet', '--return', '--command', line, '/dev/null'], {
      cwd,
      env: { TERM: 'xterm', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    return new TerminalSession(child)
  }

  /** Everything that was on the screen, without colours and movements. */
  get screen(): string {
    return stripVTControlCharacters(this.#output)
  }

  /** Waits until the pattern stands on the screen after what was waited for before. */
  async sees(pattern: RegExp): Promise<void> {
    await waitFor(`${pattern} on the screen`, () => {
      const found = pattern.exec(this.screen.slice(this.#read))
      if (found === null) throw new Error(JSON.stringify(this.screen.slice(-2_000)))
      this.#read += found.index + found[0].length
      return true
    })
  }

  types(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** Exit status of the program. */
  ended(): Promise<number | null> {
    return this.#ended
  }

  /** Ends it whatever it does. */
  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGKILL')
    await this.#ended
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
