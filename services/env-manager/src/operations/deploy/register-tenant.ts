import type { TokenInfo } from '@tributary/contract'
import type { EnvironmentDependencies } from '../dependencies.js'
import { findTenantToken, keepTenantToken } from '../state/secret-vault.js'
import { recordThing, type RunContext } from './deploy-context.js'

/** Label of every tenant that belongs to an environment: what the orphan scan looks for. */
export const ENVIRONMENT_LABEL = 'tributary/environment'
/** Label that tells which installation's: several may share a config center. */
export const INSTANCE_LABEL = 'tributary/instance'

/** The name of the token that an environment's processes get. */
export function tenantTokenName(environment: string, generation: number): string {
  return `env-${environment}-g${generation}`
}

/** Registers the tenant over its base and makes sure that its processes have a token. Idempotent. */
export async function registerTenant(context: RunContext, base: string | null): Promise<string> {
  const { deps, record, run, signal } = context
  await recordThing(context, { kind: 'tenant', id: record.name })
  const labels = { [ENVIRONMENT_LABEL]: record.name, [INSTANCE_LABEL]: deps.config.instance }
  const spec = { base, stage: record.stage, labels }
  const reason = `environment of ${record.branch}`.slice(0, 512)
  await deps.configCenter.applyTenant(record.name, spec, { runId: run.run.runId, reason, signal })
  return ensureToken(context)
}

/** Tokens of an environment by their name. */
export async function listTenantTokens(
  { configCenter }: Pick<EnvironmentDependencies, 'configCenter'>,
  environment: string,
): Promise<readonly TokenInfo[]> {
  const { tokens } = await configCenter.listTokens()
  return tokens.filter((token) => token.role === 'tenant' && token.tenant === environment)
}

/** A token whose secret was lost by a crash is revoked: its secret was shown only once. */
async function ensureToken(context: RunContext): Promise<string> {
  const { deps, record } = context
  const name = tenantTokenName(record.name, record.generation)
  const kept = await findTenantToken(deps.store, record.name)
  const known = (await listTenantTokens(deps, record.name)).filter((token) => token.name === name)
  if (kept !== undefined && known.some((token) => token.tokenId === kept.tokenId)) return kept.token
  for (const { tokenId } of known) await deps.configCenter.revokeToken(tokenId)
  await recordThing(context, { kind: 'token', id: name })
  const { token, info } = await deps.configCenter.createToken({ name, role: 'tenant', tenant: record.name })
  await keepTenantToken(deps.store, record.name, { tokenId: info.tokenId, token })
  return token
}
