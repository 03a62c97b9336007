import { ServiceDefinition, type JsonSchema } from '@tributary/contract'
import { chartSourceOf } from './chart-source.js'
import { didYouMean } from './did-you-mean.js'
import { formatProblem, type Problem } from './problem.js'
import { folderOf, resolveInRepository } from './repository-path.js'
import { schemaProblems } from './schema-problems.js'
import { parseYamlFile, type YamlDocument, type YamlPath } from './yaml-file.js'

/** The file name of service definitions, in any folder of a repository. */
export const SERVICE_FILE_NAME = 'service.yaml'

/** A definition that may be deployed, and where it stands. `directory` is the folder of its file (`''` for the root). */
export interface DefinedService {
  readonly definition: ServiceDefinition
  readonly file: string
  readonly directory: string
  /** Path of `config.schema` from the repository's root. */
  readonly schemaPath: string | undefined
  /** The schema itself, once it has been read from the commit; absent when the definition names none. */
  readonly schema?: JsonSchema
  readonly position: Problem
}

/** A document or file that cannot be used. `service` is the name that it gives, when it gives a possible one. */
export interface BrokenService {
  readonly service: string | undefined
  readonly file: string
  readonly directory: string
  readonly problems: readonly Problem[]
}

/** What the `service.yaml` files of a commit say. */
export interface ServiceCatalog {
  readonly services: readonly DefinedService[]
  readonly broken: readonly BrokenService[]
}

/** Parses one `service.yaml`; `file` is its path from the repository's root. A bad document does not spoil its neighbours. */
export function parseServiceFile(file: string, text: string): ServiceCatalog {
  const directory = folderOf(file)
  const { documents, problems } = parseYamlFile(file, text)
  const read = documents.map((document) => readDocument(document, { file, directory }))
  const unreadable = problems.length > 0 ? [{ service: undefined, file, directory, problems }] : []
  const empty = documents.length === 0 && problems.length === 0 ? [emptyFile(file, directory)] : []
  return {
    services: read.flatMap((one) => ('definition' in one ? [one] : [])),
    broken: [...read.flatMap((one) => ('problems' in one ? [one] : [])), ...unreadable, ...empty],
  }
}

/** Joins the files of a repository. A name that is defined twice is broken in every place but its first (by file, then line). */
export function joinServiceFiles(files: readonly ServiceCatalog[]): ServiceCatalog {
  const services = files
    .flatMap((file) => file.services)
    .sort((left, right) => compare(left.file, right.file) || left.position.line - right.position.line)
  const first = new Map<string, DefinedService>()
  const broken = files.flatMap((file) => file.broken)
  for (const service of services) {
    const earlier = first.get(service.definition.name)
    if (earlier === undefined) first.set(service.definition.name, service)
    else broken.push(duplicateOf(service, earlier))
  }
  return { services: [...first.values()], broken }
}

/** One line for a condition: every problem with its place. */
export function describeBroken(broken: BrokenService): string {
  return broken.problems.map(formatProblem).join('; ')
}

interface FileRef {
  readonly file: string
  readonly directory: string
}

function readDocument(document: YamlDocument, where: FileRef): DefinedService | BrokenService {
  const problems = isEnvironmentKind(document.value)
    ? [
        document.problemAt(
          ['kind'],
          'kind Environment belongs into tributary.yaml in the repository’s root; move it there',
        ),
      ]
    : [...schemaProblems(document, ServiceDefinition), ...pathProblems(document, where), ...dataProblems(document)]
  if (problems.length > 0) return { service: nameIn(document.value), ...where, problems }
  const definition = document.value as ServiceDefinition
  const schema = definition.config?.schema
  const schemaPath = schema === undefined ? undefined : resolveInRepository(where.directory, schema)
  return { definition, ...where, schemaPath, position: document.problemAt(['name'], '') }
}

function pathProblems(document: YamlDocument, { directory }: FileRef): Problem[] {
  const value = asObject(document.value)
  const check = (path: readonly (string | number)[], text: unknown, from: string): Problem[] =>
    typeof text === 'string' && resolveInRepository(from, text) === undefined
      ? [document.problemAt(path, `"${text.slice(0, 80)}" leaves the repository; name a path inside it`)]
      : []
  const paths = Array.isArray(value['paths']) ? value['paths'] : []
  const chart = value['chart']
  return [
    ...paths.flatMap((path: unknown, index) => check(['paths', index], path, '')),
    ...check(['config', 'schema'], asObject(value['config'])['schema'], directory),
    ...(typeof chart === 'string' ? chartProblems(document, chart, directory) : []),
  ]
}

function chartProblems(document: YamlDocument, chart: string, directory: string): Problem[] {
  if (chartSourceOf(chart, directory) !== undefined) return []
  const advice = /^[a-z]+:/i.test(chart)
    ? 'is not a chart; write oci://registry/path:version, or a folder of the repository'
    : 'leaves the repository; name a path inside it'
  return [document.problemAt(['chart'], `"${chart.slice(0, 80)}" ${advice}`)]
}

/** `.nan` and `.inf` are YAML but not JSON; a service that depends on itself is a slip. */
function dataProblems(document: YamlDocument): Problem[] {
  const value = asObject(document.value)
  const problems: Problem[] = []
  if (!isJson(asObject(value['config'])['defaults'])) {
    problems.push(
      document.problemAt(['config', 'defaults'], 'config.defaults holds a number that JSON has not (.nan, .inf)'),
    )
  }
  const refused = refusedMember(asObject(value['config'])['defaults'], ['config', 'defaults'])
  if (refused !== undefined) {
    const name = String(refused.at(-1))
    problems.push(document.problemAt(refused, `a config document cannot have the key "${name}" here; rename it`, 'key'))
  }
  const dependsOn: readonly unknown[] = Array.isArray(value['dependsOn']) ? value['dependsOn'] : []
  const self = dependsOn.indexOf(value['name'])
  if (self >= 0)
    problems.push(document.problemAt(['dependsOn', self], 'a service does not depend on itself; remove it'))
  return problems
}

/** Where a value has a key that the config center refuses because it could change what objects inherit; undefined when nowhere. */
function refusedMember(value: unknown, path: YamlPath): YamlPath | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, inner] of Object.entries(value)) {
    const here = [...path, Array.isArray(value) ? Number(name) : name]
    const isPrototype = name === '__proto__' || (name === 'constructor' && Object.hasOwn(asObject(inner), 'prototype'))
    const found = isPrototype ? here : refusedMember(inner, here)
    if (found !== undefined) return found
  }
  return undefined
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isJson)
  return true
}

function duplicateOf(service: DefinedService, earlier: DefinedService): BrokenService {
  const name = service.definition.name
  const message = `service "${name}" is defined already at ${earlier.file}:${earlier.position.line}; rename one`
  const { file, directory, position } = service
  return { service: undefined, file, directory, problems: [{ ...position, message }] }
}

function emptyFile(file: string, directory: string): BrokenService {
  const message = 'the file is empty; write a document with "kind: Service" or delete it'
  return { service: undefined, file, directory, problems: [{ file, line: 1, column: 1, message }] }
}

function nameIn(value: unknown): string | undefined {
  const name = asObject(value)['name']
  return typeof name === 'string' && /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name) ? name : undefined
}

function isEnvironmentKind(value: unknown): boolean {
  return (
    asObject(value)['kind'] === 'Environment' ||
    didYouMean(String(asObject(value)['kind']), ['Environment']) !== undefined
  )
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
