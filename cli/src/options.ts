import { Option, type Command } from 'commander'
import { badValue } from './errors.js'

/** How a result can be printed: for people, or as the API's body. */
export const OUTPUT_FORMATS = ['text', 'json', 'yaml'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

/** Adds `--json` and `--output`: the API's body instead of text for people. */
export function jsonOption(command: Command): Command {
  return command
    .addOption(new Option('--json', 'print the API’s JSON instead of text'))
    .addOption(new Option('-o, --output <format>', 'how to print it').choices(OUTPUT_FORMATS))
}

/** To be called before a command's action: `--output json` and `yaml` are `--json`, printed as they say. Answers the format. */
export function applyOutputFormat(command: Command): OutputFormat {
  const { output, json } = command.opts<{ readonly output?: OutputFormat; readonly json?: true }>()
  if (output !== undefined && output !== 'text') command.setOptionValue('json', true)
  if (output === 'text') command.setOptionValue('json', undefined)
  return output ?? (json === true ? 'json' : 'text')
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Parses `500ms`, `5s`, `2m`, `1h`; a bare number is seconds. Milliseconds. `CLI_BAD_VALUE`. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text)
  const unit = UNIT_MS[match?.[2] ?? 's']
  if (match === null || unit === undefined) {
    throw badValue(`${JSON.stringify(text)} is not a duration; write it like 500ms, 5s, 2m or 1h`)
  }
  return Math.round(Number(match[1]) * unit)
}

/** An option that takes a duration; `standard` is its default as a person would write it. */
export function durationOption(flags: string, description: string, standard: string): Option {
  return new Option(flags, description).argParser(parseDuration).default(parseDuration(standard), standard)
}

/** Parses a whole number of at least `minimum`. `CLI_BAD_VALUE`. */
export function parseCount(minimum: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < minimum) {
      throw badValue(`${JSON.stringify(text)} is not a whole number of at least ${minimum}`)
    }
    return value
  }
}
