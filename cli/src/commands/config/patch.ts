import type { Change } from '@tributary/contract'
import type { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'
import { reportWrite, timed } from './report-write.js'
import { showImpact } from './show-impact.js'
import { expected, toWriteOptions, writeOptions, type WriteFlags } from './write-options.js'

type PatchFlags = WriteFlags & { readonly replace?: true }

/** `tributary config patch <tenant> <service> <file>` */
export function addConfigPatch(parent: Command, cli: Cli): void {
  writeOptions(
    parent
      .command('patch')
      .description('apply a merge patch (RFC 7396) from a file: null removes, arrays replace')
      .argument('<tenant>')
      .argument('<service>', 'or * for the tenant-wide document')
      .argument('<file>', 'JSON or YAML; - reads standard input')
      .option('--replace', 'the file is the whole document, not a patch'),
  ).action(async (...call: [string, string, string, PatchFlags, Command]) => {
    const [tenant, service, file, flags, command] = call
    const data = parseObject(await readInput(cli, file), file)
    const client = await cli.configCenter(command)
    if (flags.dryRun) {
      const place = { tenant, service, ...expected(flags) }
      const change: Change = flags.replace
        ? { op: 'apply-document', data, ...place }
        : { op: 'patch-document', patch: data, ...place }
      return showImpact(cli, { client, request: { changes: [change] }, flags })
    }
    const options = toWriteOptions(flags, cli)
    const [result, tookMs] = await timed(cli, () =>
      flags.replace
        ? client.applyDocument({ tenant, service }, data, options)
        : client.patchDocument({ tenant, service }, data, options),
    )
    reportWrite(cli, { result, tookMs, what: `${tenant}/${service}`, json: flags.json })
  })
}

/** Larger documents are refused by the server anyway; this only keeps a mistaken file out of memory. */
const MAX_BYTES = 4 * 1024 * 1024

async function readInput({ runtime }: Cli, file: string): Promise<string> {
  if (file === '-') return runtime.readStdin(MAX_BYTES)
  const path = resolve(runtime.cwd, file)
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw badValue(
      `cannot read ${path}; ${error instanceof Error ? error.message : String(error)}; name a JSON or YAML file, or -`,
    )
  })
}

function parseObject(text: string, file: string): Record<string, unknown> {
  let value: unknown
  try {
    value = parse(text, { maxAliasCount: 100 })
  } catch (error) {
    throw badValue(
      `cannot use ${file}; ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    )
  }
  if (!isObject(value)) throw badValue(`cannot use ${file}; it does not hold an object; write name: value pairs`)
  return value
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
