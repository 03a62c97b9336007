import { systemClock } from '@tributary/kit'
import type { Argument, Command, Option } from 'commander'
import { createCli } from './context.js'
import { CLI_ERRORS, EXIT_CODE_MEANINGS } from './errors.js'
import { buildProgram } from './program.js'
import type { CliRuntime } from './runtime.js'

/** The text of `docs/reference/cli.md`: every command with its arguments and options, exit statuses and error codes. */
export function renderCliReference(): string {
  const program = buildProgram(createCli(silentRuntime()))
  return [
    '# Command line reference',
    '',
    '<!-- Generated from the commands themselves by `npm run generate`. Do not edit. -->',
    '',
    program.description(),
    '',
    'Results go to standard output, progress and errors to standard error. Colours appear on a terminal only, and not when `NO_COLOR` is set.',
    'An error is one line: `error: what; cause; next step`.',
    '',
    '## Options of every command',
    '',
    ...optionTable(program.options),
    '',
    'A flag beats an environment variable (`TRIBUTARY_URL`, `TRIBUTARY_ENV_MANAGER_URL`, `TRIBUTARY_TOKEN`, `TRIBUTARY_DATA`), which beats what `tributary up` wrote to',
    '`.tributary/context.json` in this folder or one above it. The token of that file is sent only to the servers that it names.',
    '',
    ...program.commands.flatMap((command) => commandSection(command, 2)),
    '## Exit status',
    '',
    '| status | meaning |',
    '| --- | --- |',
    ...EXIT_CODE_MEANINGS.map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`),
    '',
    '## Errors of the command line itself',
    '',
    'Errors of the servers keep their own codes.',
    '',
    '| code | kind | meaning |',
    '| --- | --- | --- |',
    ...Object.entries(CLI_ERRORS).map(
      ([code, { kind, description }]) => `| \`${code}\` | ${kind} | ${cell(description)} |`,
    ),
    '',
  ].join('\n')
}

function commandSection(command: Command, level: number): string[] {
  const inner = command.commands.flatMap((child) => commandSection(child, level + 1))
  const usage = inner.length > 0 ? [] : ['```', `${path(command)} ${command.usage()}`.trimEnd(), '```', '']
  return [
    `${'#'.repeat(level)} ${path(command)}`,
    '',
    sentence(command.description()),
    '',
    ...usage,
    ...(command.registeredArguments.length === 0 ? [] : [...argumentTable(command.registeredArguments), '']),
    ...(command.options.length === 0 ? [] : [...optionTable(command.options), '']),
    ...inner,
  ]
}

function optionTable(options: readonly Option[]): string[] {
  return [
    '| option | |',
    '| --- | --- |',
    ...options.map((option) => `| \`${option.flags}\` | ${cell(optionText(option))} |`),
  ]
}

function optionText({ description, defaultValue, defaultValueDescription, mandatory, argChoices }: Option): string {
  const choices = argChoices === undefined ? '' : ` (${argChoices.join(', ')})`
  const standard = defaultValue === undefined ? '' : `; default: ${defaultValueDescription ?? String(defaultValue)}`
  return `${description}${choices}${standard}${mandatory ? '; required' : ''}`
}

function argumentTable(args: readonly Argument[]): string[] {
  const rows = args.map((argument) => `| \`${argument.name()}\` | ${cell(argumentText(argument))} |`)
  return ['| argument | |', '| --- | --- |', ...rows]
}

function argumentText({ description, required, variadic }: Argument): string {
  return [description, required ? '' : 'optional', variadic ? 'one or more' : '']
    .filter((part) => part !== '')
    .join('; ')
}

function path(command: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.:]$/.test(text) ? '' : '.'}`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')
}

function silentRuntime(): CliRuntime {
  const sink = { write: () => {}, isTTY: false, columns: 0 }
  return {
    env: {},
    cwd: '/',
    stdout: sink,
    stderr: sink,
    interactive: false,
    readStdin: () => Promise.resolve(''),
    stdinEnded: () => Promise.resolve(),
    exit: () => {},
    clock: systemClock,
    signal: new AbortController().signal,
    takeSignals: () => () => {},
  }
}
