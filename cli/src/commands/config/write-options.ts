import type { WriteOptions } from '@tributary/client'
import type { Command } from 'commander'
import type { Cli } from '../../context.js'
import { jsonOption, parseDuration } from '../../options.js'

/** Flags of every command that writes to the config center. */
export interface WriteFlags {
  readonly wait?: number
  readonly reason?: string
  readonly expectedRevision?: string
  readonly json?: true
}

/** Adds `--wait`, `--reason`, `--expected-revision` and `--json`. */
export function writeOptions(command: Command): Command {
  return jsonOption(
    command
      .option('--wait <duration>', 'return when every live subscriber that it concerns has applied it', parseDuration)
      .option('--reason <text>', 'kept in the history')
      .option('--expected-revision <revision>', 'write only when the document is still at this revision; 0: absent'),
  )
}

/** The flags as the client takes them. */
export function toWriteOptions({ wait, reason, expectedRevision }: WriteFlags, cli: Cli): WriteOptions {
  return {
    signal: cli.runtime.signal,
    ...(wait === undefined ? {} : { waitMs: wait }),
    ...(reason === undefined ? {} : { reason }),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  }
}
