import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { cliError } from './errors.js'

/** Name of the folder that `tributary up` keeps its data in, unless told otherwise. */
export const DATA_FOLDER = '.tributary'

const FILE_NAME = 'context.json'

/** What `up` writes for the other commands to find. The token stays in its own file; only its path is here. */
export interface ContextFile {
  readonly url: string
  readonly envManagerUrl: string
  readonly gatewayUrl: string
  /** Absolute path. */
  readonly tokenFile: string
}

/** Path of a data folder's context file. */
export function contextPath(dataFolder: string): string {
  return join(dataFolder, FILE_NAME)
}

/** Writes the context file, mode 0600, all or nothing. */
export async function writeContextFile(dataFolder: string, context: ContextFile): Promise<void> {
  const temporary = join(dataFolder, `.${FILE_NAME}.${process.pid}`)
  await writeFile(temporary, `${JSON.stringify(context, null, 2)}\n`, { mode: 0o600 })
  await rename(temporary, contextPath(dataFolder))
}

/** Reads a data folder's context file; undefined when there is none. `CLI_BAD_CONTEXT`, `CLI_UNTRUSTED_CONTEXT`. */
export async function readContextFile(dataFolder: string): Promise<ContextFile | undefined> {
  const path = contextPath(dataFolder)
  const text = await readOwnFile(path)
  if (text === undefined) return undefined
  const context = parseContext(text)
  if (context === undefined) {
    throw cliError(
      'CLI_BAD_CONTEXT',
      `cannot use ${path}; it is not what \`tributary up\` writes; delete it and start \`tributary up\` again`,
    )
  }
  return context
}

function parseContext(text: string): ContextFile | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof ContextFile, unknown>> | null
    const { url, envManagerUrl, gatewayUrl, tokenFile } = value ?? {}
    if (typeof url !== 'string' || typeof envManagerUrl !== 'string') return undefined
    if (typeof gatewayUrl !== 'string' || typeof tokenFile !== 'string') return undefined
    return { url, envManagerUrl, gatewayUrl, tokenFile }
  } catch {
    return undefined
  }
}

/** The context file of the nearest `.tributary` folder from `folder` upwards; undefined when there is none. */
export async function findContextFile(folder: string): Promise<ContextFile | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const found = await readContextFile(join(at, DATA_FOLDER))
    if (found !== undefined || dirname(at) === at) return found
  }
}

/** The file's text; undefined when it is not there. A file of another user could send our requests anywhere. */
async function readOwnFile(path: string): Promise<string | undefined> {
  try {
    const { uid } = await stat(path)
    const self = process.getuid?.()
    if (self !== undefined && uid !== self)
      throw cliError(
        'CLI_UNTRUSTED_CONTEXT',
        `will not use ${path}; it belongs to another user; name the server with TRIBUTARY_URL or --url`,
      )
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}
