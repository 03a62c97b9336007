import { isAppError } from '@tributary/kit'
import { parseConfigSchema, schemaViolations } from '../domain/config-defaults.js'
import { ENVIRONMENT_FILE_NAME, parseEnvironmentFile, type EnvironmentFile } from '../domain/environment-definition.js'
import {
  joinServiceFiles,
  parseServiceFile,
  SERVICE_FILE_NAME,
  type BrokenService,
  type DefinedService,
  type ServiceCatalog,
} from '../domain/service-definition.js'
import { MAX_YAML_BYTES } from '../domain/yaml-file.js'
import type { RepositoryRef, SourceControl } from '../ports/source-control.js'
import { messageOf } from './dependencies.js'

const CACHED_COMMITS = 256
const MAX_SERVICE_FILES = 500
/** What the config center takes. */
const MAX_SCHEMA_BYTES = 64 * 1024

/** What a commit of a repository says about services and the environment. */
export interface CommitContent {
  readonly catalog: ServiceCatalog
  readonly environmentFile: EnvironmentFile
}

/** Reads definitions at commits. A commit never changes, so answers are remembered. */
export interface ContentLoader {
  /** Rejects with `GIT_*` when the commit cannot be read; wrong files are part of the answer. */
  load(repository: RepositoryRef, commitSha: string, signal: AbortSignal): Promise<CommitContent>
}

/** Makes a loader that remembers the newest {@link CACHED_COMMITS} commits. */
export function createContentLoader(sourceControl: SourceControl): ContentLoader {
  const cache = new Map<string, CommitContent>()
  return {
    async load(repository, commitSha, signal) {
      const key = `${repository.name} ${commitSha}`
      const known = cache.get(key)
      if (known !== undefined) return known
      await sourceControl.ensureCommit(repository, commitSha, { signal })
      const content = await readCommit(sourceControl, { repository, commitSha })
      cache.set(key, content)
      const [oldest] = cache.keys()
      if (cache.size > CACHED_COMMITS && oldest !== undefined) cache.delete(oldest)
      return content
    },
  }
}

interface CommitRef {
  readonly repository: RepositoryRef
  readonly commitSha: string
}

async function readCommit(sourceControl: SourceControl, at: CommitRef): Promise<CommitContent> {
  const paths = await sourceControl.listFiles(at.repository, at.commitSha)
  const files = paths.filter((path) => path === SERVICE_FILE_NAME || path.endsWith(`/${SERVICE_FILE_NAME}`))
  const parsed: ServiceCatalog[] = []
  for (const file of files.slice(0, MAX_SERVICE_FILES)) parsed.push(await readServiceFile(sourceControl, at, file))
  const catalog = await checkDefaults(sourceControl, at, joinServiceFiles(parsed))
  const hasEnvironmentFile = paths.includes(ENVIRONMENT_FILE_NAME)
  return {
    catalog,
    environmentFile: hasEnvironmentFile ? await readEnvironmentFile(sourceControl, at) : { state: 'absent' },
  }
}

async function readServiceFile(sourceControl: SourceControl, at: CommitRef, file: string): Promise<ServiceCatalog> {
  const text = await readBounded(sourceControl, at, { path: file, maxBytes: MAX_YAML_BYTES })
  if (typeof text === 'string') return parseServiceFile(file, text)
  return { services: [], broken: [{ service: undefined, ...placeOf(file), problems: [problemAt(file, text.message)] }] }
}

async function readEnvironmentFile(sourceControl: SourceControl, at: CommitRef): Promise<EnvironmentFile> {
  const path = ENVIRONMENT_FILE_NAME
  const text = await readBounded(sourceControl, at, { path, maxBytes: MAX_YAML_BYTES })
  return typeof text === 'string'
    ? parseEnvironmentFile(text)
    : { state: 'invalid', problems: [problemAt(path, text.message)] }
}

async function checkDefaults(
  sourceControl: SourceControl,
  at: CommitRef,
  catalog: ServiceCatalog,
): Promise<ServiceCatalog> {
  const services: DefinedService[] = []
  const broken: BrokenService[] = [...catalog.broken]
  for (const service of catalog.services) {
    const checked = await withSchema(sourceControl, at, service)
    if ('definition' in checked) services.push(checked)
    else broken.push(brokenBy(service, checked.problems))
  }
  return { services, broken }
}

/** The service with the schema of its config, or why its defaults cannot be had with it. */
async function withSchema(
  sourceControl: SourceControl,
  at: CommitRef,
  service: DefinedService,
): Promise<DefinedService | { readonly problems: readonly string[] }> {
  const { schemaPath, definition } = service
  if (schemaPath === undefined) return service
  const text = await readBounded(sourceControl, at, { path: schemaPath, maxBytes: MAX_SCHEMA_BYTES })
  if (typeof text !== 'string') return { problems: [`config.schema: ${schemaPath} ${text.message}`] }
  const schema = parseConfigSchema(text)
  if (typeof schema === 'string') return { problems: [`${schemaPath}: ${schema}`] }
  const violations = schemaViolations(schema, definition.config?.defaults ?? {})
  if (violations.length > 0) return { problems: violations.map((line) => `${schemaPath}: ${line}`) }
  return { ...service, schema }
}

/** A file's text, or why it cannot be had. Failures of git itself reject. */
async function readBounded(
  sourceControl: SourceControl,
  { repository, commitSha }: CommitRef,
  { path, maxBytes }: { readonly path: string; readonly maxBytes: number },
): Promise<string | { readonly message: string }> {
  try {
    const text = await sourceControl.readFile(repository, commitSha, { path, maxBytes })
    return text ?? { message: 'is not in the repository; add it or correct the path' }
  } catch (error) {
    if (isAppError(error, 'GIT_FILE_TOO_LARGE')) return { message: messageOf(error) }
    throw error
  }
}

function brokenBy({ definition, file, directory, position }: DefinedService, lines: readonly string[]): BrokenService {
  return { service: definition.name, file, directory, problems: lines.map((message) => ({ ...position, message })) }
}

function placeOf(file: string): { readonly file: string; readonly directory: string } {
  return { file, directory: file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '' }
}

function problemAt(file: string, message: string) {
  return { file, line: 1, column: 1, message }
}
