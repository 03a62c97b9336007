import { INTEGRATION_TENANT } from '@tributary/contract'
import type { DesiredService } from '../../domain/desired-services.js'
import { failure } from '../../errors.js'
import type { EnvironmentRoutes } from '../../ports/environment-routes.js'
import type { WorkloadSpec } from '../../ports/platform.js'
import { ensureContextKey, ensureSecrets, type SecretValues } from '../state/secret-vault.js'
import { platformContext, recordThing, type FreshCopy, type RunContext } from './deploy-context.js'

/** What is worked out before a copy is made. */
export interface RollOutInputs {
  /** The tenant's. */
  readonly token: string
  readonly version: Promise<string>
}

/** Makes a service's secrets, starts its new copy beside the old one and waits until it is healthy. */
export async function rollOutService(
  context: RunContext,
  service: DesiredService,
  { token, version }: RollOutInputs,
): Promise<FreshCopy> {
  const { deps, run, signal } = context
  const name = service.service
  const secrets = await run.step({ name: 'generate-secrets', service: name }, () => secretsOf(context, service))
  const deploy = { name: 'deploy', service: name }
  const workload = await run.step(deploy, async () => {
    const spec = await workloadSpec(context, service, { token, secrets, version: await version })
    return deps.platform.deployWorkload(spec, platformContext(context, deploy))
  })
  await run.step({ name: 'wait-healthy', service: name }, (log) => waitHealthy(workload.workloadId, log))
  return { service, workload }

  async function waitHealthy(workloadId: string, log: (text: string) => void): Promise<void> {
    const timeoutMs = deps.config.healthTimeoutSeconds * 1000
    const status = await deps.platform.awaitHealthy(workloadId, { signal, timeoutMs })
    log(`healthy at ${status.endpoints.map(({ host, port }) => `${host}:${port}`).join(', ')}`)
  }
}

async function secretsOf(context: RunContext, { service, defined }: DesiredService): Promise<SecretValues> {
  const { deps, record } = context
  const declared = defined.definition.secrets ?? []
  const generated = Object.fromEntries(
    declared.flatMap(({ name, generate }) => (generate ? [[name, generate.bytes]] : [])),
  )
  const target = { environment: record.name, service }
  if (Object.keys(generated).length > 0) await recordThing(context, { kind: 'secret', id: service })
  const made = Object.keys(generated).length > 0 ? await ensureSecrets(deps.store, target, generated) : {}
  const offered = declared
    .filter(({ generate }) => !generate)
    .map(({ name }) => [name, offeredSecret(context, name)] as const)
  const values = { ...made, ...Object.fromEntries(offered) }
  for (const value of Object.values(values)) context.secrets.add(value)
  return Object.fromEntries(declared.map(({ name }) => [name, values[name] ?? '']))
}

function offeredSecret({ deps }: RunContext, name: string): string {
  const value = deps.offeredSecrets[name]
  if (value !== undefined) return value
  throw failure(
    'SECRET_UNAVAILABLE',
    `Secret "${name}" has no "generate" and the platform configuration offers none of this name; add "generate: { bytes: 32 }" to service.yaml, or the secret to "secrets" of tributary.config.yaml`,
  )
}

async function workloadSpec(
  { deps, record }: RunContext,
  service: DesiredService,
  given: { readonly token: string; readonly secrets: SecretValues; readonly version: string },
): Promise<WorkloadSpec> {
  const { commitSha, defined } = service
  const { version } = given
  return {
    environment: record.name,
    generation: record.generation,
    service: service.service,
    definition: defined.definition,
    repository: service.repository,
    commitSha,
    directory: defined.directory,
    version,
    secrets: given.secrets,
    environmentVariables: {
      ...defined.definition.run?.env,
      ...(deps.platform.name === 'local' ? defined.definition.run?.local?.env : {}),
      TRIBUTARY_URL: deps.configCenterUrl,
      TRIBUTARY_TENANT: record.name,
      TRIBUTARY_SERVICE: service.service,
      TRIBUTARY_TOKEN: given.token,
      TRIBUTARY_CONTEXT_KEY: await ensureContextKey(deps.store),
      TRIBUTARY_PUBLIC_URL: publicUrlOf(deps.routes),
      TRIBUTARY_INSTANCE: `${service.service.slice(0, 40)}-g${record.generation}-${commitSha.slice(0, 10)}`,
      TRIBUTARY_VERSION: version,
      TRIBUTARY_COMMIT: commitSha,
    },
  }
}

/** A service's name that stands for any other in a URL: routes may put it into the host or into the path. */
const ANY_SERVICE = 'tributary-any-service'

/** Where services of the baseline are reached from outside, with `{service}` for the name: its host outlives every environment. */
function publicUrlOf(routes: Pick<EnvironmentRoutes, 'urlOf'>): string {
  return routes.urlOf(INTEGRATION_TENANT, ANY_SERVICE).replaceAll(ANY_SERVICE, '{service}')
}
