import type { CliRuntime, TextSink } from '../runtime.js'
import { harmless } from './harmless.js'
import { hasColours, styleFor, type Style } from './style.js'

/**
 * Results go to stdout, everything else (progress, notes, errors) to stderr, so that a pipe gets results alone. Whatever text is given, a terminal
 * obeys nothing in it but colours: much of it comes from branches and their services.
 */
export interface Terminal {
  /** Tones for stdout. */
  readonly style: Style
  /** Tones for stderr. */
  readonly noteStyle: Style
  readonly print: (text: string) => void
  /** One value as JSON, indented, with a newline; or as YAML, when that was asked for. */
  readonly printJson: (value: unknown) => void
  /** Lets {@link Terminal.printJson} print YAML from now on. */
  readonly useYaml: () => Promise<void>
  readonly note: (text: string) => void
  /** A line that replaces the last one on a terminal; elsewhere a new line, only when its text has changed. */
  readonly progress: (text: string) => void
  /** Ends the progress line, so that whatever comes next starts on a line of its own. */
  readonly endProgress: () => void
}

/** Makes the terminal of one command run. */
export function createTerminal(runtime: CliRuntime): Terminal {
  const { stdout, stderr, env } = runtime
  const progress = progressLine(runtime)
  let toYaml: ((value: unknown) => string) | undefined
  const [shown, noted] = [safeFor(stdout, env), safeFor(stderr, env)]
  return {
    style: styleFor(stdout, env),
    noteStyle: styleFor(stderr, env),
    print: (text) => stdout.write(`${shown(text)}\n`),
    printJson: (value) => {
      const text = toYaml === undefined ? JSON.stringify(value, null, 2) : toYaml(value).trimEnd()
      stdout.write(`${harmless(text, { colours: false })}\n`)
    },
    useYaml: async () => {
      // Most commands never need it, and each would have to load it.
      toYaml = (await import('yaml')).stringify
    },
    note: (text) => {
      progress.end()
      stderr.write(`${noted(text)}\n`)
    },
    progress: progress.show,
    endProgress: progress.end,
  }
}

function safeFor(sink: TextSink, env: CliRuntime['env']): (text: string) => string {
  return (text) => harmless(text, { colours: hasColours(sink, env) })
}

const CLEAR_LINE = '\r\u001B[2K'

function progressLine({ stderr }: CliRuntime): { show: (text: string) => void; end: () => void } {
  let shown = ''
  return {
    show: (given) => {
      const text = harmless(given, { colours: false })
      if (text === shown) return
      shown = text
      stderr.write(stderr.isTTY ? `${CLEAR_LINE}${text.slice(0, Math.max(20, stderr.columns - 1))}` : `${text}\n`)
    },
    end: () => {
      if (shown !== '' && stderr.isTTY) stderr.write(CLEAR_LINE)
      shown = ''
    },
  }
}
