import type { ApiServerAddress } from '../adapters/kubernetes/api-server-address.js'
import { failure } from '../errors.js'
import { readApi } from '../identity-config.js'

/** Which Secret to make, and where. */
export interface BootstrapConfig {
  readonly api: ApiServerAddress
  readonly namespace: string
  readonly secret: string
  /** Labels of the Secret. */
  readonly labels: Readonly<Record<string, string>>
}

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/**
 * Reads what the bootstrap needs from the process environment.
 *
 * | variable | meaning |
 * | --- | --- |
 * | `TRIBUTARY_BOOTSTRAP_NAMESPACE` | namespace of the Secret |
 * | `TRIBUTARY_BOOTSTRAP_SECRET` | its name |
 * | `TRIBUTARY_BOOTSTRAP_LABELS` | its labels, `name=value` with commas between |
 *
 * @throws AppError `CONFIG_INVALID`
 */
export function readBootstrapConfig(env: Readonly<Record<string, string | undefined>> = process.env): BootstrapConfig {
  const problems: string[] = []
  const name = (variable: string): string => {
    const text = env[variable] ?? ''
    if (!NAME.test(text)) problems.push(`${variable} is ${JSON.stringify(text)}, not a name of Kubernetes`)
    return text
  }
  const pairs = (env.TRIBUTARY_BOOTSTRAP_LABELS ?? '').split(',').filter((pair) => pair.includes('='))
  const config = {
    api: readApi(env, problems),
    namespace: name('TRIBUTARY_BOOTSTRAP_NAMESPACE'),
    secret: name('TRIBUTARY_BOOTSTRAP_SECRET'),
    labels: Object.fromEntries(pairs.map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)])),
  }
  if (problems.length === 0) return config
  throw failure('CONFIG_INVALID', `The secrets cannot be made: ${problems.join('; ')}.`, { details: { problems } })
}
