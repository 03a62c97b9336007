import type { Argument, Command, Option } from 'commander'

/** One thing that can be typed next. */
export interface Candidate {
  readonly value: string
  readonly description: string
}

/** What stands for a name of something that only the servers know, with what was typed before it. */
export interface WantedName {
  /** As the argument is called: `name`, `env`, `service`, `run`, … */
  readonly kind: string
  /** Arguments of the command that stand before it. */
  readonly before: readonly string[]
}

/** Everything that can stand next: words of the command line itself, and a name that has to be asked for. */
export interface Completion {
  readonly candidates: readonly Candidate[]
  readonly wanted: WantedName | undefined
}

/** What can follow `words`, of which the last is being typed. From the commands themselves; pure. */
export function complete(program: Command, words: readonly string[]): Completion {
  const typed = words.at(-1) ?? ''
  const { command, rest, pending } = descend(program, words.slice(0, -1))
  if (pending !== undefined) return completeValue(pending, { typed, before: rest })
  if (rest.includes('--')) return { candidates: [], wanted: undefined }
  if (typed.startsWith('-')) return { candidates: optionsOf(command, typed), wanted: undefined }
  const commands = rest.length === 0 ? commandsOf(command, typed) : []
  const argument = argumentAt(command, rest.length)
  const choices = (argument?.argChoices ?? []).filter((one) => one.startsWith(typed))
  return {
    candidates: [...commands, ...choices.map((value) => ({ value, description: argument?.description ?? '' }))],
    wanted: argument === undefined ? undefined : { kind: argument.name(), before: rest },
  }
}

interface Place {
  readonly command: Command
  /** Words after the command that are arguments. */
  readonly rest: readonly string[]
  /** The option before the last word that still lacks its value. */
  readonly pending: Option | undefined
}

function descend(program: Command, words: readonly string[]): Place {
  let command = program
  const rest: string[] = []
  let pending: Option | undefined
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined
      continue
    }
    const option = word.startsWith('-') && word !== '--' ? findOption(command, word) : undefined
    if (option !== undefined) pending = takesValue(option) && !word.includes('=') ? option : undefined
    else if (!word.startsWith('-') || word === '--') {
      const child = rest.length === 0 ? childOf(command, word) : undefined
      if (child === undefined) rest.push(word)
      else command = child
    }
  }
  return { command, rest, pending }
}

function completeValue(
  option: Option,
  { typed, before }: { readonly typed: string; readonly before: readonly string[] },
): Completion {
  const choices = (option.argChoices ?? []).filter((one) => one.startsWith(typed))
  const kind = /<([\w-]+)>/.exec(option.flags)?.[1] ?? ''
  return {
    candidates: choices.map((value) => ({ value, description: option.description })),
    wanted: choices.length > 0 || kind === '' ? undefined : { kind, before },
  }
}

function commandsOf(command: Command, typed: string): readonly Candidate[] {
  return visible(command)
    .filter((child) => child.name().startsWith(typed))
    .map((child) => ({ value: child.name(), description: firstLine(child.description()) }))
}

function optionsOf(command: Command, typed: string): readonly Candidate[] {
  const options: Option[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) options.push(...at.options)
  return options
    .filter((option) => !option.hidden)
    .map((option) => ({ value: option.long ?? option.short ?? '', description: firstLine(option.description) }))
    .concat({ value: '--help', description: 'display help for command' })
    .filter(({ value }) => value.startsWith(typed))
}

function visible(command: Command): readonly Command[] {
  const shown = new Set(
    command
      .createHelp()
      .visibleCommands(command)
      .map((child) => child.name()),
  )
  return command.commands.filter((child) => shown.has(child.name()))
}

function childOf(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word))
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const args = command.registeredArguments
  const last = args.at(-1)
  return args[index] ?? (last?.variadic === true ? last : undefined)
}

function findOption(command: Command, word: string): Option | undefined {
  const name = word.split('=', 1)[0] ?? ''
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const found = at.options.find(({ long, short }) => long === name || short === name)
    if (found !== undefined) return found
  }
  return undefined
}

function takesValue(option: Option): boolean {
  return option.required || option.optional
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
