import type { Endpoint } from '@tributary/contract'
import { failure } from '../../errors.js'
import type { WorkloadSpec } from '../../ports/platform.js'
import { MARKER_VARIABLE } from './process-table.js'

/** Variables of the manager that a service gets too. Everything else of the manager stays with it. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'] as const

/**
 * The variables of a workload that do not depend on its ports: the spec's, and its secrets as `TRIBUTARY_SECRET_<NAME>`.
 * @throws AppError `PLATFORM_START_FAILED` for a name or value that an environment cannot hold. The value is not repeated.
 */
export function workloadVariables(spec: WorkloadSpec): Record<string, string> {
  const variables: Record<string, string> = { ...spec.environmentVariables }
  for (const [name, value] of Object.entries(spec.secrets)) {
    variables[`TRIBUTARY_SECRET_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`] = value
  }
  for (const [name, value] of Object.entries(variables)) {
    if (/[=\0]/.test(name) || name === '' || value.includes('\0')) {
      throw failure(
        'PLATFORM_START_FAILED',
        `could not start ${spec.service}: the variable ${JSON.stringify(name)} cannot be in an environment`,
      )
    }
  }
  return variables
}

/** What a workload's process finds in its environment. Later rows win: nothing can take a workload's marker or port away. */
export interface ProcessEnvironmentOptions {
  readonly host: Readonly<Record<string, string | undefined>>
  readonly variables: Readonly<Record<string, string>>
  readonly endpoints: readonly Endpoint[]
  readonly marker: string
}

/** The whole environment of a process: base, variables, `PORT` (the first port), `PORT_<NAME>` (each), `HOST`, marker. */
export function processEnvironment(options: ProcessEnvironmentOptions): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of PASSED_ON) {
    const value = options.host[name]
    if (value !== undefined) environment[name] = value
  }
  Object.assign(environment, options.variables)
  for (const endpoint of options.endpoints) {
    environment[`PORT_${endpoint.name.toUpperCase().replaceAll('-', '_')}`] = String(endpoint.port)
  }
  const [first] = options.endpoints
  if (first !== undefined) Object.assign(environment, { PORT: String(first.port), HOST: first.host })
  environment[MARKER_VARIABLE] = options.marker
  return environment
}
