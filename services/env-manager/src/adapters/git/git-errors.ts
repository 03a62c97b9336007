import { isAppError, type AppError } from '@tributary/kit'
import { failure, type EnvManagerErrorCode } from '../../errors.js'
import { redactUrls } from './git-url.js'

/** A git command that ended badly. `action` is what was attempted, e.g. `list the branches of shop`. */
export interface GitOutcome {
  readonly action: string
  readonly exitCode: number | null
  readonly stderr: string
}

/**
 * Git has no error codes: its messages, fixed to English by `LC_ALL=C`, are all there is. The first row that matches wins, so that
 * "does not appear to be a git repository … make sure you have the correct access rights" is not taken for a refusal.
 */
const PATTERNS: readonly (readonly [RegExp, EnvManagerErrorCode, string])[] = [
  [/no space left on device|disk quota exceeded/i, 'GIT_DISK_FULL', 'free some space on the disk of the data folder'],
  [
    /detected dubious ownership/i,
    'GIT_AUTHENTICATION_FAILED',
    'another user owns it: `git config --global --add safe.directory` it',
  ],
  [
    /authentication failed|could not read (username|password)|terminal prompts disabled|permission denied \(|returned error: 40[13]|invalid username or password|host key verification failed|access denied/i,
    'GIT_AUTHENTICATION_FAILED',
    'check the credentials of the repository',
  ],
  [
    /not our ref|unadvertised object|couldn't find remote ref|not a valid object name|invalid reference/i,
    'GIT_COMMIT_NOT_FOUND',
    'push it again',
  ],
  [
    /does not appear to be a git repository|not a git repository|repository .*not found|returned error: 404|no such file or directory|project you were looking for/i,
    'GIT_REPOSITORY_NOT_FOUND',
    'check the URL of the repository',
  ],
  [
    /could not resolve|connection (refused|timed out|reset|closed)|unable to (access|connect|look up)|early eof|hung up|network is unreachable|operation timed out|returned error: (429|5\d\d)|rpc failed/i,
    'GIT_UNREACHABLE',
    'it is tried again',
  ],
  [/unknown (switch|option)|is not a git command/i, 'GIT_NOT_INSTALLED', 'this git is too old: install 2.36 or newer'],
  [/transport '[^']*' not allowed/i, 'GIT_URL_INVALID', 'use https, ssh or a path'],
]

const CORRUPTION =
  /bad object|object file .* is empty|is corrupt|corrupt(ed)? (loose object|pack)|inflate: data stream error|packfile .* (cannot be|does not match)|bad config|unable to read tree|not a tree object|missing (blob|tree|commit)/i

/** Maps a failed command to the error that its callers see. No credentials are in the message. */
export function gitFailure(outcome: GitOutcome): AppError {
  const said = lastLines(redactUrls(outcome.stderr))
  const row = PATTERNS.find(([pattern]) => pattern.test(outcome.stderr))
  const details = { exitCode: outcome.exitCode, damaged: CORRUPTION.test(outcome.stderr) }
  if (row === undefined) return failure('GIT_FAILED', `could not ${outcome.action}: ${said}`, { details })
  return failure(row[1], `could not ${outcome.action}: ${said}; ${row[2]}`, { details })
}

/** Whether an error hints that the mirror itself is damaged. */
export function isDamage(error: unknown): boolean {
  return isAppError(error) && error.details['damaged'] === true
}

/** Maps a failure to start git at all. */
export function gitSpawnFailure(action: string, cause: NodeJS.ErrnoException): AppError {
  if (cause.code === 'ENOENT') {
    return failure(
      'GIT_NOT_INSTALLED',
      `could not ${action}: there is no git command on PATH; install git 2.36 or newer`,
      { cause },
    )
  }
  return failure('GIT_FAILED', `could not ${action}: git did not start (${cause.code ?? cause.message})`, { cause })
}

function lastLines(text: string): string {
  const lines = text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(warning|hint):|^and the repository exists|^please make sure/i.test(line))
  return lines.slice(0, 4).join('; ').slice(0, 1000) || 'git said nothing'
}
