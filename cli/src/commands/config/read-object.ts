import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import type { Cli } from '../../context.js'
import { badValue } from '../../errors.js'

/** Larger documents are refused by the server anyway; this only keeps a mistaken file out of memory. */
const MAX_BYTES = 4 * 1024 * 1024

/** The text of a file, or of standard input for `-`. `CLI_BAD_VALUE` */
export async function readInput({ runtime }: Cli, file: string): Promise<string> {
  if (file === '-') return runtime.readStdin(MAX_BYTES)
  const path = resolve(runtime.cwd, file)
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw badValue(
      `cannot read ${path}; ${error instanceof Error ? error.message : String(error)}; name a JSON or YAML file, or -`,
    )
  })
}

/** The object that JSON or YAML text holds. `CLI_BAD_VALUE` */
export function parseObject(text: string, file: string): Record<string, unknown> {
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
