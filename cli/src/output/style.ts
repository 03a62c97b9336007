import { inspect } from 'node:util'
import type { CliRuntime, TextSink } from '../runtime.js'

/** What a piece of text means; how that looks is decided here alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'strong' | 'quiet' | 'accent'

/** Marks text with a tone; returns it unchanged where colours are off. */
export type Style = (tone: Tone, text: string) => string

const COLOURS = {
  good: 'green',
  warn: 'yellow',
  bad: 'red',
  strong: 'bold',
  quiet: 'gray',
  accent: 'cyan',
} as const satisfies Record<Tone, string>

/** Colours for a sink: only on a terminal, and never when `NO_COLOR` is set (https://no-color.org) or `TERM` is `dumb`. */
export function styleFor(sink: TextSink, env: CliRuntime['env']): Style {
  return hasColours(sink, env) ? paint : (_tone, text) => text
}

/** Whether text for a sink may have colours. */
export function hasColours(sink: TextSink, env: CliRuntime['env']): boolean {
  return sink.isTTY && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
}

// util.styleText would ask the process's own stdout whether it is a terminal, whatever sink the text goes to.
function paint(tone: Tone, text: string): string {
  const codes = inspect.colors[COLOURS[tone]]
  return codes === undefined ? text : `\u001B[${codes[0]}m${text}\u001B[${codes[1]}m`
}
