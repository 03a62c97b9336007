import type { AppError } from '@tributary/kit'
import { failure, type EnvManagerErrorCode } from '../../errors.js'

/** A helm command that ended badly. */
export interface HelmOutcome {
  /** Reads after "could not", e.g. `apply release orders in feature-x`. */
  readonly action: string
  readonly stderr: string
  /** What it means when helm says nothing that is known: nothing but the chart is at work when it is rendered. */
  readonly otherwise: 'CHART_INVALID' | 'HELM_FAILED'
}

/**
 * Helm has no error codes: its messages are all there is. The first row that matches wins, so that a missing permission is not taken for a
 * policy, and an API server that is gone not for a chart that is wrong. Texts of helm 3 and 4, and of API servers from 1.20 on.
 */
const PATTERNS: readonly (readonly [RegExp, EnvManagerErrorCode, string])[] = [
  [
    /asked for the client to provide credentials|\bUnauthorized\b|getting credentials: |\b401\b/,
    'HELM_FORBIDDEN',
    'renew the credentials of the manager; it is tried again',
  ],
  [
    /User "[^"]*" cannot [a-z]+ resource/,
    'HELM_FORBIDDEN',
    'give the manager’s account this permission; it is tried again',
  ],
  [
    /failed (pre|post)-(install|upgrade|rollback|delete)|(pre|post)-(install|upgrade|rollback|delete) hooks? failed|timed out waiting for the condition/i,
    'CHART_HOOK_FAILED',
    'see the logs of the hook’s pod, mend the chart and push again',
  ],
  [
    /cluster unreachable|connection (refused|reset|timed out)|i\/o timeout|no such host|TLS handshake|no route to host|network is unreachable|unexpected EOF|: EOF\b|currently unable to handle|etcdserver|too many requests|server was unable to return a response|Client\.Timeout|http2: |apiserver not ready|the object has been modified|is being terminated|response status code 5\d\d|TOOMANYREQUESTS/i,
    'HELM_UNAVAILABLE',
    'it is tried again',
  ],
  [
    /execution error at|parse error|template: |YAML parse error|error converting YAML|failed to create typed patch object|don't meet the specifications|Chart\.yaml file is missing|chart metadata|validation: |no matches for kind|unable to build kubernetes objects|error validating|missing in charts|chart requires kubeVersion|failed to (download|fetch|pull)|manifest unknown|not found: not found|invalid_reference|unable to locate any tags/i,
    'CHART_INVALID',
    'mend the chart or its values and push again',
  ],
  [
    /is invalid: |is forbidden: |denied the request|is immutable|conflicts? with|cannot be imported|already exists|failed to create resource|server-side apply failed|exceeds the limit|Too long: |BadRequest|cannot be handled as/i,
    'CHART_REJECTED',
    'mend what it complains of and push again',
  ],
]

/** Maps a failed command to the error that its callers see: with what helm and the API server said of which object. */
export function helmFailure({ action, stderr, otherwise }: HelmOutcome): AppError {
  const said = lastWords(stderr)
  const row = PATTERNS.find(([pattern]) => pattern.test(said))
  if (row === undefined) return failure(otherwise, `could not ${action}: ${said}`)
  const [, code, advice] = row
  return failure(code, `could not ${action}: ${said}; ${advice}`, code === 'HELM_FORBIDDEN' ? { retryable: true } : {})
}

/** Whether the release bears the mark of an operation whose client died, which helm does not go on from by itself. */
export function isLeftPending(stderr: string): boolean {
  return /another operation \(.*\) is in progress|has no deployed releases|cannot re-use a name that is still in use/.test(
    stderr,
  )
}

/** Whether there is no release of the name. */
export function isReleaseMissing(stderr: string): boolean {
  return /release:? (.* )?not found|Release not loaded/i.test(stderr)
}

/** Maps a failure to start helm at all. */
export function helmSpawnFailure(action: string, cause: NodeJS.ErrnoException): AppError {
  if (cause.code === 'ENOENT' || cause.code === 'EACCES') {
    const message = `could not ${action}: there is no helm command to start; install helm 4 or name it in the configuration`
    return failure('HELM_NOT_INSTALLED', message, { cause })
  }
  return failure('HELM_FAILED', `could not ${action}: helm did not start (${cause.code ?? cause.message})`, { cause })
}

/**
 * The error of helm without its own frame around it. Helm 4 logs the error before it prints it, and helm 3 puts the name of the
 * operation before it.
 */
function lastWords(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^level=|^time=|^WARNING: |^[WI]\d{4} /.test(line))
  const from = lines.findLastIndex((line) => line.startsWith('Error: '))
  const text = lines.slice(Math.max(0, from)).join('; ')
  const bare = text.replace(/^Error: /, '').replace(/^(UPGRADE|INSTALLATION|ROLLBACK) FAILED: /i, '')
  return bare.slice(0, MAX_SAID_CHARS) || 'helm said nothing'
}

const MAX_SAID_CHARS = 1500
