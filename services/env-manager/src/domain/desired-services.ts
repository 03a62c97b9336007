import { didYouMean } from './did-you-mean.js'
import type { ChangedServices } from './changed-services.js'
import type { EnvironmentFile } from './environment-definition.js'
import { formatProblem } from './problem.js'
import { describeBroken, type BrokenService, type DefinedService, type ServiceCatalog } from './service-definition.js'

/** One repository's part of an environment, at a commit. */
export interface RepositoryContent {
  readonly repository: string
  readonly commitSha: string
  readonly catalog: ServiceCatalog
  readonly environmentFile: EnvironmentFile
  /** What differs from the base; `all` for the integration environment. */
  readonly changed: ChangedServices | 'all'
}

/** A service that the environment should run itself. */
export interface DesiredService {
  readonly service: string
  readonly repository: string
  readonly commitSha: string
  readonly defined: DefinedService
}

/** The image that was named to a service which is deployed on image; undefined: it is deployed on push. */
export function builtImageOf({ defined: { definition } }: DesiredService): string | undefined {
  return definition.deploy?.on === 'image' ? definition.run?.image : undefined
}

/** A definition that cannot be used. Its last good deployment stays. */
export interface InvalidService {
  readonly service: string | undefined
  readonly repository: string
  readonly message: string
}

/** What an environment should run, as far as its repositories can be read. */
export interface DesiredServices {
  readonly services: readonly DesiredService[]
  /** Services of the branch that cannot be deployed before their image is named; a copy of theirs that runs stays. */
  readonly awaiting: readonly DesiredService[]
  readonly invalid: readonly InvalidService[]
  /** Services that run already and must be left alone, because their part of a repository cannot be read. */
  readonly kept: readonly string[]
  /** `unknown` when a `tributary.yaml` cannot be read: leave masks and base as they are. */
  readonly masked: readonly string[] | 'unknown'
  readonly baseBranch: string | undefined
  /** Readable problems of the environment as a whole. */
  readonly problems: readonly string[]
}

/** A service as the environment runs it now. */
export interface RecordedService {
  readonly service: string
  readonly repository: string
  readonly directory: string
}

/** Joins the repositories of a branch, in configured order, into what its environment should run. Pure. */
export function desiredServices(
  contents: readonly RepositoryContent[],
  recorded: readonly RecordedService[],
): DesiredServices {
  const candidates = contents.flatMap((content) => wantedIn(content).map((defined) => ({ content, defined })))
  const services = new Map<string, DesiredService>()
  const invalid = contents.flatMap((content) =>
    brokenIn(content).map((broken) => invalidOf(broken, { content, recorded })),
  )
  for (const { content, defined } of candidates) {
    const service = defined.definition.name
    const taken = services.get(service)
    const { repository, commitSha } = content
    if (taken === undefined) services.set(service, { service, repository, commitSha, defined })
    else invalid.push({ service: undefined, repository, message: nameTaken(defined, taken) })
  }
  const own = new Set(services.keys())
  return {
    services: [...services.values()].sort((left, right) => (left.service < right.service ? -1 : 1)),
    awaiting: [],
    invalid,
    kept: recorded.filter((one) => !own.has(one.service) && isKept(one, contents)).map((one) => one.service),
    ...environmentWide(contents, own),
  }
}

function wantedIn({ catalog, changed, environmentFile }: RepositoryContent): readonly DefinedService[] {
  if (changed === 'all') return catalog.services
  const named = new Set(environmentFile.state === 'valid' ? (environmentFile.definition.services ?? []) : [])
  const touched = new Set(changed.services.map((service) => service.definition.name))
  return catalog.services.filter(({ definition }) => touched.has(definition.name) || named.has(definition.name))
}

function brokenIn({ catalog, changed }: RepositoryContent): readonly BrokenService[] {
  return changed === 'all' ? catalog.broken : changed.broken
}

/** A file that cannot even be parsed says no name; a service that came from its folder before is meant. */
function invalidOf(
  broken: BrokenService,
  { content, recorded }: { readonly content: RepositoryContent; readonly recorded: readonly RecordedService[] },
): InvalidService {
  const { repository, catalog } = content
  const before = recorded.find((one) => one.repository === repository && one.directory === broken.directory)
  const isDefined = catalog.services.some(({ definition }) => definition.name === before?.service)
  const service = broken.service ?? (isDefined ? undefined : before?.service)
  return { service, repository, message: describeBroken(broken) }
}

function nameTaken(defined: DefinedService, taken: DesiredService): string {
  const { file, line } = defined.position
  return `${file}:${line}: service "${defined.definition.name}" comes from repository ${taken.repository} already; rename one`
}

/** A recorded service stays untouched while its own file, or the repository's tributary.yaml that may name it, is unreadable. */
function isKept(recorded: RecordedService, contents: readonly RepositoryContent[]): boolean {
  const content = contents.find((one) => one.repository === recorded.repository)
  if (content === undefined) return false
  if (content.environmentFile.state === 'invalid') {
    return content.catalog.services.some(({ definition }) => definition.name === recorded.service)
  }
  return content.catalog.broken.some(
    (broken) => broken.service === recorded.service || broken.directory === recorded.directory,
  )
}

function environmentWide(
  contents: readonly RepositoryContent[],
  own: ReadonlySet<string>,
): Pick<DesiredServices, 'masked' | 'baseBranch' | 'problems'> {
  const valid = contents.flatMap(({ repository, environmentFile, catalog }) =>
    environmentFile.state === 'valid' ? [{ repository, catalog, definition: environmentFile.definition }] : [],
  )
  const broken = contents.flatMap(({ environmentFile }) =>
    environmentFile.state === 'invalid' ? environmentFile.problems.map(formatProblem) : [],
  )
  const bases = [...new Set(valid.flatMap(({ definition }) => definition.base ?? []))]
  const masks = [...new Set(valid.flatMap(({ definition }) => definition.mask ?? []))].sort()
  const disagreement = `the repositories name different bases (${bases.join(', ')}); the first is used`
  const contradiction = masks.filter((service) => own.has(service))
  return {
    masked: broken.length > 0 ? 'unknown' : masks.filter((service) => !own.has(service)),
    baseBranch: bases[0],
    problems: [
      ...broken,
      ...(bases.length > 1 ? [disagreement] : []),
      ...contradiction.map((service) => `service "${service}" is masked, but the branch deploys it; it is deployed`),
      ...valid.flatMap(({ repository, catalog, definition }) =>
        unknownNames(definition.services ?? [], catalog).map((name) => `${name} in repository ${repository}`),
      ),
    ],
  }
}

function unknownNames(named: readonly string[], catalog: ServiceCatalog): readonly string[] {
  const names = catalog.services.map(({ definition }) => definition.name)
  const broken = new Set(catalog.broken.map((one) => one.service))
  return named
    .filter((name) => !names.includes(name) && !broken.has(name))
    .map((name) => {
      const guess = didYouMean(name, names)
      return `tributary.yaml names service "${name}"${guess === undefined ? '' : ` (did you mean "${guess}"?)`}, which no service.yaml defines`
    })
}
