import { isAppError } from '@tributary/kit'
import { parseConfigSchema, schemaViolations } from '../domain/config-defaults.js'
import type { CommitAuthor } from '../domain/owner.js'
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

const CACHED_COMMITS = 256
const MAX_SERVICE_FILES = 500
/** What the config center takes. */
const MAX_SCHEMA_BYTES = 64 * 1024

/** What a commit of a repository says about services and the environment. */
export interface CommitContent {
  readonly catalog: ServiceCatalog
  readonly environmentFile: EnvironmentFile
  /** Undefined when git does not tell it: nothing that runs depends on it. */
  readonly author: CommitAuthor | undefined
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
  const [paths, author] = await Promise.all([
    sourceControl.listFiles(at.repository, at.commitSha),
    findAuthor(sourceControl, at),
  ])
  const files = paths
    .filter((path) => path === SERVICE_FILE_NAME || path.endsWith(`/${SERVICE_FILE_NAME}`))
    .slice(0, MAX_SERVICE_FILES)
  const hasEnvironmentFile = paths.includes(ENVIRONMENT_FILE_NAME)
  const wanted = hasEnvironmentFile ? [...files, ENVIRONMENT_FILE_NAME] : files
  const texts = await readBounded(sourceControl, at, { paths: wanted, maxBytes: MAX_YAML_BYTES })
  const parsed = files.map((file) => serviceFileOf(file, texts(file)))
  return {
    catalog: await checkDefaults(sourceControl, at, joinServiceFiles(parsed)),
    environmentFile: hasEnvironmentFile ? environmentFileOf(texts(ENVIRONMENT_FILE_NAME)) : { state: 'absent' },
    author,
  }
}

async function findAuthor(sourceControl: SourceControl, at: CommitRef): Promise<CommitAuthor | undefined> {
  try {
    return await sourceControl.readAuthor(at.repository, at.commitSha)
  } catch (error) {
    if (isAppError(error)) return undefined
    throw error
  }
}

function serviceFileOf(file: string, text: FileText): ServiceCatalog {
  if (typeof text === 'string') return parseServiceFile(file, text)
  return { services: [], broken: [{ service: undefined, ...placeOf(file), problems: [problemAt(file, text.message)] }] }
}

function environmentFileOf(text: FileText): EnvironmentFile {
  return typeof text === 'string'
    ? parseEnvironmentFile(text)
    : { state: 'invalid', problems: [problemAt(ENVIRONMENT_FILE_NAME, text.message)] }
}

async function checkDefaults(
  sourceControl: SourceControl,
  at: CommitRef,
  catalog: ServiceCatalog,
): Promise<ServiceCatalog> {
  const services: DefinedService[] = []
  const broken: BrokenService[] = [...catalog.broken]
  const schemaPaths = new Set(catalog.services.flatMap(({ schemaPath }) => schemaPath ?? []))
  const texts = await readBounded(sourceControl, at, { paths: [...schemaPaths], maxBytes: MAX_SCHEMA_BYTES })
  for (const service of catalog.services) {
    const checked = withSchema(service, texts)
    if ('definition' in checked) services.push(checked)
    else broken.push(brokenBy(service, checked.problems))
  }
  return { services, broken }
}

/** The service with the schema of its config, or why its defaults cannot be had with it. */
function withSchema(
  service: DefinedService,
  texts: (path: string) => FileText,
): DefinedService | { readonly problems: readonly string[] } {
  const { schemaPath, definition } = service
  if (schemaPath === undefined) return service
  const text = texts(schemaPath)
  if (typeof text !== 'string') return { problems: [`config.schema: ${schemaPath} ${text.message}`] }
  const schema = parseConfigSchema(text)
  if (typeof schema === 'string') return { problems: [`${schemaPath}: ${schema}`] }
  const violations = schemaViolations(schema, definition.config?.defaults ?? {})
  if (violations.length > 0) return { problems: violations.map((line) => `${schemaPath}: ${line}`) }
  return { ...service, schema }
}

/** A file's text, or why it cannot be had. */
type FileText = string | { readonly message: string }

const MISSING: FileText = { message: 'is not in the repository; add it or correct the path' }

/** All files at once: a process of git for each would take longer than everything else that a push needs. Failures of git itself reject. */
async function readBounded(
  sourceControl: SourceControl,
  { repository, commitSha }: CommitRef,
  files: { readonly paths: readonly string[]; readonly maxBytes: number },
): Promise<(path: string) => FileText> {
  if (files.paths.length === 0) return () => MISSING
  const texts = await sourceControl.readFiles(repository, commitSha, files)
  return (path) => texts.get(path) ?? MISSING
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
