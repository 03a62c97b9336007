import type { WriteOptions } from '@tributary/client'
import type { SchemaMode } from '@tributary/contract'
import { SCHEMA_MODES } from '@tributary/contract/light'
import { Option, type Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption, parseDuration } from '../../options.js'

/** Flags of every command that writes to the config center. */
export interface WriteFlags {
  readonly wait?: number
  readonly reason?: string
  readonly expectedRevision?: string
  readonly schema?: SchemaMode
  readonly dryRun?: true
  readonly json?: true
}

/** Adds `--wait`, `--reason`, `--expected-revision`, `--dry-run`, `--schema` and `--json`. */
export function writeOptions(command: Command): Command {
  return trialOptions(noteOptions(command))
}

/** As {@link writeOptions}, for writes that cannot be tried. */
export function plainWriteOptions(command: Command): Command {
  return jsonOption(schemaOption(noteOptions(command)))
}

/** Adds `--wait`, `--reason` and, for writes of one thing, `--expected-revision`. */
export function noteOptions(command: Command, { expectedRevision = true } = {}): Command {
  const noted = command
    .option('--wait <duration>', 'return when every live subscriber that it concerns has applied it', parseDuration)
    .option('--reason <text>', 'kept in the history')
  if (!expectedRevision) return noted
  return noted.option('--expected-revision <revision>', 'write only when it is still at this revision; 0: absent')
}

function schemaOption(command: Command): Command {
  const mode = new Option(
    '--schema <mode>',
    'when config would break its schema: own refuses for the tenant itself, all also for those over it, warn never',
  )
  return command.addOption(mode.choices(SCHEMA_MODES))
}

/** Adds `--dry-run`, `--schema` and `--json`. */
export function trialOptions(command: Command): Command {
  const trial = command.option(
    '--dry-run',
    'write nothing: show what would change in which tenants, and what lies over it',
  )
  return jsonOption(schemaOption(trial))
}

/** The precondition, for a change of a transaction. */
export function expected({ expectedRevision }: WriteFlags): { readonly expectedRevision?: string } {
  return expectedRevision === undefined ? {} : { expectedRevision }
}

/** The flags as the client takes them. */
export function toWriteOptions(flags: WriteFlags, cli: Cli): WriteOptions {
  const { wait, reason, schema } = flags
  return {
    signal: cli.runtime.signal,
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(reason === undefined ? {} : { reason }),
    ...expected(flags),
    ...(schema === undefined ? {} : { schema }),
  }
}
