import type { RevisionedStore, StoreChoice, StoreKeySource } from '@tributary/store'
import { Option, type Command } from 'commander'
import { chmod, open, readFile, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { badValue } from '../../errors.js'
import type { Cli } from '../../context.js'

/** Which store: a file that nobody has open, or an etcd. */
interface Place {
  readonly store?: string
  readonly etcd?: string
  readonly prefix: string
  readonly keyFile?: string
}

const DEFAULT_PREFIX = 'tributary/config-center/'

/** `tributary store`: backup, restore, and the way from the embedded store to etcd. */
export function addStore(program: Command, cli: Cli): void {
  const store = program.command('store').description('back up, restore and move what the servers have stored')
  placeOptions(store.command('export').description('write everything in a store, at one moment, into a file'))
    .argument('<file>', 'new file; it holds hashes of tokens and is readable by its owner only')
    .action(async (file: string, place: Place) => {
      cli.terminal.print(await exportTo(resolve(cli.runtime.cwd, file), place, cli))
    })
  store
    .command('backup')
    .description('write everything in the store of a running config center, at one moment, into a file')
    .argument('<file>', 'new file for `store import`; it holds hashes of tokens and is readable by its owner only')
    .action(async (file: string, _options: unknown, command: Command) => {
      const path = resolve(cli.runtime.cwd, file)
      await writePrivately(path, (await cli.configCenter(command)).backUp())
      cli.terminal.print(await describeExport(path, 'backed up'))
    })
  store
    .command('new-key')
    .description('make the key that encrypts a store at rest, or a new one in front of those that are there')
    .argument('<file>', 'key file, readable by its owner only; TRIBUTARY_STORE_KEY_FILE names it to the servers')
    .action(async (file: string) => cli.terminal.print(await makeKey(resolve(cli.runtime.cwd, file), file)))
  placeOptions(store.command('import').description('write an export into an empty store, and check it afterwards'))
    .argument('<file>', 'what `store export` wrote')
    .option('--force', 'empty the store first')
    .action(async (file: string, { force, ...place }: Place & { force?: true }) => {
      const text = await readFile(resolve(cli.runtime.cwd, file), 'utf8').catch((error: unknown) => {
        throw badValue(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`)
      })
      cli.terminal.print(await importFrom(text, { ...place, replace: force === true }, cli))
    })
}

function placeOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--store <file>',
        'file of an embedded store (store.db in a server’s data folder); stop the server first',
      ).conflicts('etcd'),
    )
    .option(
      '--etcd <urls>',
      'members of an etcd, separated by commas; TRIBUTARY_ETCD_* variables give user and certificates',
    )
    .option('--key-file <file>', 'keys of an encrypted store and its exports; default: TRIBUTARY_STORE_KEY_FILE')
    .option('--prefix <prefix>', 'where the store’s keys lie in etcd', DEFAULT_PREFIX)
}

async function exportTo(file: string, place: Place, cli: Cli): Promise<string> {
  const { exportStore } = await import('@tributary/config-center')
  const { sealLines } = await import('@tributary/store')
  return withStore(place, cli, async (store, keys) => {
    const lines = exportStore(store)
    await writePrivately(file, linesOf(keys === undefined ? lines : sealLines(lines, keys())))
    return describeExport(file, 'exported')
  })
}

async function* linesOf(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`
}

/** Writes a new file that only its owner can read; it has its name only when it is whole and on the disk. */
async function writePrivately(file: string, pieces: AsyncIterable<string | Uint8Array>): Promise<void> {
  const partial = `${file}.partial`
  const output = await open(partial, 'wx', 0o600).catch(() => {
    throw badValue(`cannot create ${partial}; is it there from an export that was stopped?`)
  })
  try {
    for await (const piece of pieces) await output.writeFile(piece)
    await output.sync()
    await output.close()
    await checkExport(partial)
    await chmod(partial, 0o600)
    await rename(partial, file)
  } catch (error) {
    await output.close().catch(() => undefined)
    await rm(partial, { force: true })
    throw error
  }
}

/** @throws AppError `EXPORT_DAMAGED`: what was written is not a whole export. */
async function checkExport(file: string): Promise<void> {
  const { summarizeExport } = await import('@tributary/config-center')
  summarizeExport(await readFile(file, 'utf8'))
}

async function describeExport(file: string, what: string): Promise<string> {
  const { summarizeExport } = await import('@tributary/config-center')
  const { keys, leasedKeysLeftOut, contentHash } = summarizeExport(await readFile(file, 'utf8'))
  const leased = `left out ${leasedKeysLeftOut} keys of leases: instances register again`
  return `${what} ${keys} keys, sha256 ${contentHash}\n${leased}`
}

async function importFrom(text: string, place: Place & { readonly replace: boolean }, cli: Cli): Promise<string> {
  const { importStore, parseExport } = await import('@tributary/config-center')
  // Before the store is opened: a damaged export leaves nothing behind.
  const { keys } = await chooseStore(place, cli)
  const parsed = parseExport(text, keys?.())
  await withStore(place, cli, (store) => importStore(store, parsed, place))
  return `imported ${parsed.entries.length} keys and read them back, sha256 ${parsed.contentHash}`
}

async function makeKey(path: string, file: string): Promise<string> {
  const { addStoreKey, readStoreKeys } = await import('@tributary/store')
  const { id } = addStoreKey(path)
  const others = readStoreKeys(path).byId.size - 1
  const rotation =
    'restart each server to go over to it; when all have, the lines after it are needed for older exports only'
  const beginning = 'keep a copy of it elsewhere: without it nobody can read what it has encrypted'
  return `made the key ${id} in ${file}\n${others === 0 ? beginning : rotation}`
}

async function withStore<T>(
  place: Place,
  cli: Cli,
  work: (store: RevisionedStore, keys: StoreKeySource | undefined) => Promise<T>,
): Promise<T> {
  const { openStore } = await import('@tributary/store')
  const choice = await chooseStore(place, cli)
  const path = resolve(cli.runtime.cwd, place.store ?? '')
  const store = await openStore(choice, { path, prefix: place.prefix })
  try {
    return await work(store, choice.keys)
  } finally {
    await store.close()
  }
}

async function chooseStore(place: Place, cli: Cli): Promise<StoreChoice> {
  const { readStoreChoice } = await import('@tributary/store')
  const { env, cwd } = cli.runtime
  if (place.store === undefined && place.etcd === undefined) {
    throw badValue('say which store: --store <file>, or --etcd <urls>')
  }
  const which =
    place.etcd === undefined
      ? {}
      : { ...etcdVariables(env), TRIBUTARY_STORE: 'etcd', TRIBUTARY_ETCD_ENDPOINTS: place.etcd }
  const keyFile = place.keyFile ?? env['TRIBUTARY_STORE_KEY_FILE']
  const encryption = keyFile === undefined ? {} : { TRIBUTARY_STORE_KEY_FILE: resolve(cwd, keyFile) }
  const problems: string[] = []
  const choice = readStoreChoice({ ...which, ...encryption }, problems)
  if (problems.length > 0) throw badValue(problems.join('; '))
  return choice
}

function etcdVariables(env: Cli['runtime']['env']): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('TRIBUTARY_ETCD_')))
}
