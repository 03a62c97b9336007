import { Type, type Static } from 'typebox'
import { KubernetesConfigFile, kubernetesWithDefaults, type KubernetesConfig } from './kubernetes-config.js'
import type { Problem } from './problem.js'
import { schemaProblems } from './schema-problems.js'
import { SignInFile, signInProblems, signInWithDefaults, type SignInConfig } from './sign-in-config.js'
import { parseYamlFile, type YamlDocument } from './yaml-file.js'

const strict = { additionalProperties: false } as const
const label = (description: string) =>
  Type.String({ pattern: '^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$', maxLength: 40, description })

/** The platform configuration, `tributary.config.yaml`: one document of `kind: Platform`. */
export const PlatformConfigFile = Type.Object(
  {
    apiVersion: Type.Literal('tributary/v1'),
    kind: Type.Literal('Platform'),
    instance: Type.Optional(label('DNS-1123 label that marks everything this installation makes; default: tributary')),
    repositories: Type.Array(
      Type.Object(
        {
          name: label('DNS-1123 label, at most 40 characters'),
          url: Type.String({ minLength: 1, maxLength: 2048, description: 'anything that git clones from' }),
          integrationBranch: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'default: main' })),
        },
        strict,
      ),
      { minItems: 1, maxItems: 200 },
    ),
    branches: Type.Optional(
      Type.Object(
        {
          include: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 100 })),
          exclude: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), { maxItems: 100 })),
        },
        strict,
      ),
    ),
    pollSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 3600, description: 'default: 30' })),
    resyncSeconds: Type.Optional(
      Type.Number({
        minimum: 10,
        maximum: 86_400,
        description: 'every environment is checked at least so often; default: 600',
      }),
    ),
    concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        description: 'runs at a time, those not counted that wait for a namespace to go; default: 4',
      }),
    ),
    ttlHours: Type.Optional(
      Type.Union([Type.Number({ minimum: 1, maximum: 87_600 }), Type.Null()], {
        description: 'an environment rests when nobody pushed for so long; null: never. Default: 336 (14 days)',
      }),
    ),
    sleepAfterHours: Type.Optional(
      Type.Union([Type.Number({ minimum: 0.05, maximum: 8_760 }), Type.Null()], {
        description:
          'an environment falls asleep after so long without a push or a request, where requests are counted; null: never. Default: null',
      }),
    ),
    signIn: Type.Optional(SignInFile),
    healthTimeoutSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 3600, description: 'default: 60' })),
    drainSeconds: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 600,
        description: 'longest wait for subscribers to leave an old copy; default: 5',
      }),
    ),
    platform: Type.Optional(
      Type.Object(
        { local: Type.Optional(Type.Object({}, strict)), kubernetes: Type.Optional(KubernetesConfigFile) },
        { ...strict, maxProperties: 1, description: 'where environments run; default: local' },
      ),
    ),
    gateway: Type.Optional(Type.Object({ port: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })) }, strict)),
    secrets: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' }),
        Type.Object(
          { environmentVariable: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$', maxLength: 128 }) },
          strict,
        ),
        {
          description: 'secrets that services may declare without `generate`, from variables of the manager’s process',
        },
      ),
    ),
  },
  { $id: 'PlatformConfigFile', additionalProperties: false },
)

/** The configuration with every default filled in. */
export interface PlatformConfig {
  readonly instance: string
  readonly repositories: readonly {
    readonly name: string
    readonly url: string
    readonly integrationBranch: string
  }[]
  readonly branches: { readonly include: readonly string[]; readonly exclude: readonly string[] }
  readonly pollSeconds: number
  readonly resyncSeconds: number
  readonly concurrency: number
  readonly ttlHours: number | null
  readonly sleepAfterHours: number | null
  readonly signIn: SignInConfig
  readonly healthTimeoutSeconds: number
  readonly drainSeconds: number
  readonly platform: { readonly kind: 'local' } | { readonly kind: 'kubernetes'; readonly kubernetes: KubernetesConfig }
  readonly gateway: { readonly port: number }
  /** Name of the environment variable by secret. */
  readonly secrets: Readonly<Record<string, string>>
}

/** Parses the configuration file; all problems at once. */
export function parsePlatformConfig(
  file: string,
  text: string,
): { readonly config: PlatformConfig } | { readonly problems: readonly Problem[] } {
  const { documents, problems } = parseYamlFile(file, text)
  if (problems.length > 0) return { problems }
  const [document, second] = documents
  if (document === undefined || second !== undefined) {
    return { problems: [{ file, line: 1, column: 1, message: 'exactly one document of "kind: Platform" is expected' }] }
  }
  const wrong = [
    ...schemaProblems(document, PlatformConfigFile),
    ...repositoryProblems(document),
    ...signInProblems(document),
  ]
  return wrong.length > 0
    ? { problems: wrong }
    : { config: withDefaults(document.value as Static<typeof PlatformConfigFile>) }
}

/** Fills in the defaults. */
export function withDefaults(file: Static<typeof PlatformConfigFile>): PlatformConfig {
  return {
    instance: file.instance ?? 'tributary',
    repositories: file.repositories.map((one) => ({ ...one, integrationBranch: one.integrationBranch ?? 'main' })),
    branches: { include: file.branches?.include ?? ['**'], exclude: file.branches?.exclude ?? [] },
    pollSeconds: file.pollSeconds ?? 30,
    resyncSeconds: file.resyncSeconds ?? 600,
    concurrency: file.concurrency ?? 4,
    ttlHours: file.ttlHours === undefined ? 336 : file.ttlHours,
    sleepAfterHours: file.sleepAfterHours ?? null,
    signIn: signInWithDefaults(file.signIn),
    healthTimeoutSeconds: file.healthTimeoutSeconds ?? 60,
    drainSeconds: file.drainSeconds ?? 5,
    platform:
      file.platform?.kubernetes === undefined
        ? { kind: 'local' }
        : { kind: 'kubernetes', kubernetes: kubernetesWithDefaults(file.platform.kubernetes) },
    gateway: { port: file.gateway?.port ?? 7480 },
    secrets: Object.fromEntries(
      Object.entries(file.secrets ?? {}).map(([name, source]) => [name, source.environmentVariable]),
    ),
  }
}

/** Names are unique, and no URL carries a password: it would end up in logs and answers. */
function repositoryProblems(document: YamlDocument): Problem[] {
  const list: unknown = (document.value as { readonly repositories?: unknown } | null)?.repositories
  const repositories: readonly unknown[] = Array.isArray(list) ? list : []
  const seen = new Set<unknown>()
  return repositories.flatMap((repository, index) => {
    const { name, url } = (repository ?? {}) as { readonly name?: unknown; readonly url?: unknown }
    const twice = seen.has(name)
    seen.add(name)
    return [
      ...(twice
        ? [
            document.problemAt(
              ['repositories', index, 'name'],
              `repository "${String(name)}" is here twice; rename one`,
            ),
          ]
        : []),
      ...(typeof url === 'string' && hasPassword(url)
        ? [
            document.problemAt(
              ['repositories', index, 'url'],
              'the URL holds a password; use a git credential helper or an SSH key',
            ),
          ]
        : []),
    ]
  })
}

function hasPassword(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/@:]*:[^/@]+@/i.test(url)
}
