import { parseArgsStringToArgv } from 'string-argv'
import { failure } from '../../errors.js'

const SHELL_WORDS = new Set(['&&', '||', '|', ';', '&', '>', '>>', '<', '2>&1'])

/**
 * Words of a command of `run.local`, with `{version}` replaced; quotes group, nothing is expanded.
 * @throws AppError `PLATFORM_COMMAND_INVALID` when it is empty, or needs a shell.
 */
export function commandWords(text: string, version: string, what: string): [string, ...string[]] {
  const [program, ...rest] = parseArgsStringToArgv(text).map((word) => word.replaceAll('{version}', version))
  const operator = rest.find((word) => SHELL_WORDS.has(word))
  if (operator !== undefined) {
    throw failure(
      'PLATFORM_COMMAND_INVALID',
      `the ${what} ${JSON.stringify(text)} uses ${operator}, but no shell runs it: put it into a script and name that`,
    )
  }
  if (program === undefined || program === '')
    throw failure('PLATFORM_COMMAND_INVALID', `the ${what} is empty; name a program`)
  return [program, ...rest]
}
