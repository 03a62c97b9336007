import type { Endpoint } from '@tributary/contract'
import { badValue } from '../errors.js'

/** A service that the program may call. */
export interface ProgramService {
  readonly state: 'own' | 'inherited' | 'masked' | 'missing'
  readonly endpoints: readonly Endpoint[]
}

/** What a program gets to see of its tenant. */
export interface ProgramConfig {
  readonly config: Readonly<Record<string, unknown>>
  readonly services: Readonly<Record<string, ProgramService>>
}

/**
 * Config and addresses as environment variables:
 *
 * | value | variable |
 * | --- | --- |
 * | `pageSize: 20` | `CONFIG_PAGE_SIZE=20` |
 * | `limits: { perUser: 5 }` | `CONFIG_LIMITS_PER_USER=5` |
 * | `tags: [a, b]` | `CONFIG_TAGS=["a","b"]` |
 * | `on: true`, `text: x` | `CONFIG_ON=true`, `CONFIG_TEXT=x` |
 * | `none: null`, `empty: {}` | not set |
 * | service `order-api` at 127.0.0.1:4711 | `ORDER_API_URL=http://127.0.0.1:4711` |
 *
 * A service that is masked or has no endpoint has no variable; of several endpoints the one named `http` counts, else the first.
 * `CLI_BAD_VALUE` when two names become the same variable: one of them would be lost in silence.
 */
export function toEnvironmentVariables(program: ProgramConfig, prefix: string): Readonly<Record<string, string>> {
  const variables = new Map<string, { readonly value: string; readonly from: string }>()
  const add = (name: string, value: string, from: string): void => {
    const other = variables.get(name)
    if (other !== undefined)
      throw badValue(`${other.from} and ${from} would both become ${name}; rename one of them, or use --env-prefix`)
    variables.set(name, { value, from })
  }
  for (const { path, value } of leavesOf(program.config, [])) {
    add(`${prefix}${path.map(toSnakeCase).join('_')}`, value, `config ${path.join('.')}`)
  }
  for (const [service, { state, endpoints }] of Object.entries(program.services)) {
    const endpoint = endpoints.find(({ name }) => name === 'http') ?? endpoints[0]
    if (state === 'masked' || endpoint === undefined) continue
    add(
      `${toSnakeCase(service)}_URL`,
      `${endpoint.protocol}://${hostText(endpoint.host)}:${endpoint.port}`,
      `service ${service}`,
    )
  }
  return Object.fromEntries([...variables].map(([name, { value }]) => [name, value]))
}

/** `pageSize` and `page-size` become `PAGE_SIZE`, `HTTPPort` becomes `HTTP_PORT`. */
export function toSnakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .toUpperCase()
}

interface Leaf {
  readonly path: readonly string[]
  readonly value: string
}

function leavesOf(value: unknown, path: readonly string[]): readonly Leaf[] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return [{ path, value: JSON.stringify(value) }]
  if (typeof value === 'string') return [{ path, value }]
  if (typeof value !== 'object') return [{ path, value: JSON.stringify(value) }]
  return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, [...path, name]))
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
