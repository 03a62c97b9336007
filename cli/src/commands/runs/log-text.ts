import type { LogLine } from '@tributary/contract'
import type { Cli } from '../../context.js'

/** A log line for people: time of day in UTC, source, text. */
export function logText({ terminal }: Pick<Cli, 'terminal'>, { at, source, text }: LogLine): string {
  return `${terminal.style('quiet', clockTime(at))} ${terminal.style('accent', source)} ${text}`
}

/** The time of day of an instant, in UTC, to the millisecond. */
export function clockTime(instant: string): string {
  return new Date(instant).toISOString().slice(11, 23)
}
