import type { Condition, Endpoint, EnvironmentPhase } from '@tributary/contract'
import { namedMessage } from '@tributary/contract/light'
import type { Tone } from './style.js'

/** What stands for "nothing" in a table. */
export const NONE = '-'

const SHA_LENGTH = 8

/** The first 8 characters of a commit id. */
export function shortSha(commitSha: string | null | undefined): string {
  return commitSha == null ? NONE : commitSha.slice(0, SHA_LENGTH)
}

/** A span as a person says it: `850 ms`, `4.2 s`, `3 min`, `5 h`, `12 d`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h`
  return `${Math.floor(ms / 86_400_000)} d`
}

/** How long ago an instant was, or how soon it comes: `4 min ago`, `in 2 h`. */
export function age(instant: string | null | undefined, nowMs: number): string {
  if (instant == null) return NONE
  const ms = nowMs - Date.parse(instant)
  if (ms >= 0 && ms < 1_000) return 'just now'
  const span = Math.abs(ms) < 60_000 ? `${Math.round(Math.abs(ms) / 1_000)} s` : duration(Math.abs(ms))
  return ms < 0 ? `in ${span}` : `${span} ago`
}

/** Time between two instants; the second defaults to now. */
export function elapsed(startedAt: string | null, finishedAt: string | null, nowMs: number): string {
  if (startedAt === null) return NONE
  return duration((finishedAt === null ? nowMs : Date.parse(finishedAt)) - Date.parse(startedAt))
}

/** `http://127.0.0.1:4711`, one for each endpoint. */
export function endpointList(endpoints: readonly Endpoint[]): string {
  return endpoints.map(({ protocol, host, port }) => `${protocol}://${host}:${port}`).join(', ') || NONE
}

const PHASE_TONES: Readonly<Record<EnvironmentPhase, Tone>> = {
  pending: 'quiet',
  deploying: 'accent',
  ready: 'good',
  degraded: 'warn',
  failed: 'bad',
  asleep: 'quiet',
  terminating: 'quiet',
}

/** Tone of an environment's phase. */
export function phaseTone(phase: EnvironmentPhase): Tone {
  return PHASE_TONES[phase]
}

const STATE_TONES: Readonly<Record<string, Tone>> = {
  own: 'good',
  succeeded: 'good',
  healthy: 'good',
  present: 'good',
  inherited: 'quiet',
  pending: 'quiet',
  skipped: 'quiet',
  superseded: 'quiet',
  unknown: 'quiet',
  running: 'accent',
  starting: 'accent',
  deploying: 'accent',
  masked: 'warn',
  interrupted: 'warn',
  missing: 'bad',
  unhealthy: 'bad',
  failed: 'bad',
  invalid: 'bad',
}

/** Tone of the state of a service, run or step. */
export function stateTone(state: string): Tone {
  return STATE_TONES[state] ?? 'strong'
}

/** Messages of the conditions that do not hold, with the service's name; what one says as a part of another is said once. */
export function troubles(conditions: readonly Condition[]): readonly string[] {
  const messages = conditions
    .filter(({ status, message }) => status === 'False' && message !== '')
    .map(({ service, message }) => (service === undefined ? message : namedMessage(service, message)))
  const distinct = [...new Set(messages)]
  const isWithin = (part: string, whole: string): boolean => part !== whole && `\n${whole}\n`.includes(`\n${part}\n`)
  return distinct.filter((message) => !distinct.some((other) => isWithin(message, other)))
}

const MAX_CELL = 40

/** A text that may be of any length, such as a branch's name, cut to what a column can show. */
export function cell(text: string): string {
  return text.length <= MAX_CELL ? text : `${text.slice(0, MAX_CELL - 1)}…`
}

/** A JSON value on one line, cut to `width` characters. */
export function oneLineJson(value: unknown, width = 60): string {
  const text = JSON.stringify(value) ?? NONE
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`
}
