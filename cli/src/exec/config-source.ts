import { connect, type Resolution, type Tributary } from '@tributary/sdk'
import type { Connection } from '../context.js'
import { badValue, cliError } from '../errors.js'
import type { CliRuntime } from '../runtime.js'
import type { ProgramConfig } from './environment-variables.js'
import type { ConfigSource } from './run-program.js'

/** Whose config a program gets. */
export interface SourceOptions extends Connection {
  readonly tenant: string | undefined
  readonly service: string | undefined
  /** Only these services' addresses; none: of all that the tenant sees. */
  readonly calls: readonly string[] | undefined
}

/** A source that is connected until it is closed. */
export interface OpenConfigSource {
  readonly source: ConfigSource
  readonly close: () => Promise<void>
}

/**
 * Connects with the SDK and returns once there is something to read: live, or from the disk snapshot.
 * `CLI_CONFIG_UNAVAILABLE`, `CLI_BAD_VALUE`; `SDK_OPTIONS_INVALID` names what is missing.
 */
export async function openConfigSource(runtime: CliRuntime, options: SourceOptions): Promise<OpenConfigSource> {
  const { url, token, tenant, service, calls } = options
  if (tenant === undefined && (runtime.env.TRIBUTARY_TENANT ?? '') === '') {
    throw badValue('do not know whose config to use; name the tenant with --tenant or set TRIBUTARY_TENANT')
  }
  const client = await connect({
    env: runtime.env,
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(service === undefined ? {} : { service }),
  })
  if (!client.holdsView) {
    const { reason } = client.status
    await client.close()
    throw cliError(
      'CLI_CONFIG_UNAVAILABLE',
      `cannot get the config of ${client.tenant}; ${reason}; check TRIBUTARY_URL, the tenant and the token`,
    )
  }
  return { source: sourceOf(client, calls), close: () => client.close() }
}

function sourceOf(client: Tributary, calls: readonly string[] | undefined): ConfigSource {
  const resolutions = (): readonly Resolution[] =>
    calls === undefined ? client.services() : calls.map((service) => client.resolve(service))
  return {
    current: () => ({ config: documentOf(client), services: servicesOf(resolutions()) }),
    onChange: (handler) => {
      const ends = [client.config.onChange('', handler), client.onServicesChange(handler)]
      return () => ends.forEach((end) => end())
    },
  }
}

function documentOf({ config }: Tributary): ProgramConfig['config'] {
  const document = config.get('')
  return typeof document === 'object' && document !== null ? { ...document } : {}
}

function servicesOf(resolutions: readonly Resolution[]): ProgramConfig['services'] {
  return Object.fromEntries(resolutions.map(({ service, state, endpoints }) => [service, { state, endpoints }]))
}
