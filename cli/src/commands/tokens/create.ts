import type { CreateToken, TokenRole } from '@tributary/contract'
import { Option, type Command } from 'commander'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Cli } from '../../context.js'
import { jsonOption, parseDuration } from '../../options.js'

/** The contract's `TOKEN_ROLES`; importing it would load every schema, which costs each command a third of a second. */
export const ROLES = ['admin', 'deployer', 'viewer', 'tenant'] as const satisfies readonly TokenRole[]

interface CreateFlags {
  readonly role: CreateToken['role']
  readonly tenant?: string
  readonly expiresIn?: number
  readonly file?: string
  readonly json?: true
}

/** `tributary tokens create <name>` */
export function addTokensCreate(parent: Command, cli: Cli): void {
  jsonOption(
    parent
      .command('create')
      .description('make a token; its secret is shown this once only')
      .argument('<name>', 'shown in the history as who did it')
      .addOption(new Option('--role <role>', 'what it may do').choices([...ROLES]).default('viewer'))
      .option('--tenant <tenant>', 'for, and only for, the role tenant')
      .option('--expires-in <duration>', 'valid for so long (default: until revoked)', parseDuration)
      .option('--file <file>', 'write it to a new file, mode 0600, instead of printing it'),
  ).action(async (name: string, flags: CreateFlags, command: Command) => {
    const client = await cli.configCenter(command)
    const created = await client.createToken(toRequest(name, flags))
    if (flags.file !== undefined) await writeTokenFile(cli, flags.file, created.token)
    const { token, info } = created
    if (flags.json) cli.terminal.printJson(flags.file === undefined ? created : { info })
    else cli.terminal.print(flags.file === undefined ? token : `${info.tokenId} is in ${flags.file}`)
  })
}

function toRequest(name: string, { role, tenant, expiresIn }: CreateFlags): CreateToken {
  return {
    name,
    role,
    ...(tenant === undefined ? {} : { tenant }),
    ...(expiresIn === undefined ? {} : { expiresInSeconds: Math.max(1, Math.round(expiresIn / 1_000)) }),
  }
}

async function writeTokenFile({ runtime }: Cli, file: string, token: string): Promise<void> {
  await writeFile(resolve(runtime.cwd, file), `${token}\n`, { mode: 0o600, flag: 'wx' })
}
