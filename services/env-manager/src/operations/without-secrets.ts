import { AppError } from '@tributary/kit'
import type { WorkloadStatus } from '../ports/platform.js'
import type { EnvironmentDependencies } from './dependencies.js'
import { secretValuesOf } from './state/secret-vault.js'

/** A shorter line of a secret with several lines (a key file) may stand anywhere by chance. */
const MIN_LINE_LENGTH = 8

type VaultDependencies = Pick<EnvironmentDependencies, 'store' | 'offeredSecrets'>

/** `text` with each secret in it, and each longer line of a secret, replaced by `[secret]`: what a service prints may hold its own. */
export function withoutSecrets(text: string, secrets: Iterable<string>): string {
  let clean = text
  for (const secret of secrets) {
    const lines = secret.split('\n').filter((line) => line.length >= MIN_LINE_LENGTH)
    for (const part of [secret, ...lines]) if (part !== '') clean = clean.replaceAll(part, '[secret]')
  }
  return clean
}

/** An error whose message quotes no secret: the same one when it does not. What it was caused by is left out otherwise, for it may quote it too. */
export function errorWithoutSecrets(error: unknown, secrets: Iterable<string>): unknown {
  if (!(error instanceof Error)) return error
  const message = withoutSecrets(error.message, secrets)
  if (message === error.message) return error
  if (!(error instanceof AppError)) return new Error(message)
  const { kind, code, retryable, details } = error
  return new AppError({ kind, code, message, retryable, details })
}

/** Every value that may not be shown of an environment: its own secrets and those that the platform's configuration offers. */
export async function hiddenValuesOf(deps: VaultDependencies, environment: string): Promise<readonly string[]> {
  return [...(await secretValuesOf(deps.store, environment)), ...Object.values(deps.offeredSecrets)]
}

/** The workloads of an environment as they may be shown and recorded: their messages quote what the processes print. */
export async function listWorkloads(
  deps: VaultDependencies & Pick<EnvironmentDependencies, 'platform'>,
  environment: string,
): Promise<readonly WorkloadStatus[]> {
  const workloads = await deps.platform.listWorkloads(environment)
  if (workloads.every(({ message }) => message === null)) return workloads
  const hidden = await hiddenValuesOf(deps, environment)
  return workloads.map((workload) => ({
    ...workload,
    message: workload.message === null ? null : withoutSecrets(workload.message, hidden),
  }))
}
