import { TOKEN_ROLES, type TokenRole } from '@tributary/contract'

/** How pods prove themselves. */
export interface IdentityConfig {
  readonly instance: string
  /** Before the names of environments' namespaces. */
  readonly namespacePrefix: string
  readonly audience: string
  /** Roles of the platform's own ServiceAccounts by `<namespace>/<name>`. */
  readonly roles: ReadonlyMap<string, TokenRole>
  readonly api: { readonly url: string; readonly tokenFile: string; readonly caFile?: string }
}

type Environment = Readonly<Record<string, string | undefined>>

const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount'
const ROLE = /^([a-z0-9-]{1,63}\/[a-z0-9.-]{1,253})=([a-z]+)$/
const NAMESPACE_PREFIX = /^([a-z0-9]([-a-z0-9]{0,19}[a-z0-9])?-)?$/
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/**
 * Reads how workloads are identified; undefined when they are not. Problems are added to the list.
 *
 * | variable | default | meaning |
 * | --- | --- | --- |
 * | `TRIBUTARY_WORKLOAD_IDENTITY` | `off` | `kubernetes`: pods prove themselves with ServiceAccount tokens (TokenReview) |
 * | `TRIBUTARY_WORKLOAD_INSTANCE` | none | the instance whose label the namespaces of environments bear |
 * | `TRIBUTARY_WORKLOAD_NAMESPACE_PREFIX` | none | before the names of those namespaces: `platform.kubernetes.namespacePrefix` of the env-manager |
 * | `TRIBUTARY_WORKLOAD_AUDIENCE` | `tributary` | the audience that a token must be for |
 * | `TRIBUTARY_WORKLOAD_ROLES` | none | roles of other accounts, `<namespace>/<account>=<role>`, with commas between; not `tenant` |
 * | `TRIBUTARY_KUBERNETES_URL` | of the pod's own cluster | the API server |
 * | `TRIBUTARY_KUBERNETES_TOKEN_FILE` | the pod's own token | what proves who we are; read again when it rotates |
 * | `TRIBUTARY_KUBERNETES_CA_FILE` | the pod's own cluster's | the authority that signed the API server's certificate |
 */
export function readIdentityConfig(env: Environment, problems: string[]): IdentityConfig | undefined {
  const kind = env.TRIBUTARY_WORKLOAD_IDENTITY ?? 'off'
  if (kind === 'off') return undefined
  if (kind !== 'kubernetes') {
    problems.push(`TRIBUTARY_WORKLOAD_IDENTITY is ${JSON.stringify(kind)}, not off or kubernetes`)
    return undefined
  }
  const instance = env.TRIBUTARY_WORKLOAD_INSTANCE ?? ''
  if (!LABEL_VALUE.test(instance))
    problems.push('TRIBUTARY_WORKLOAD_INSTANCE must name the instance, as its label does')
  const namespacePrefix = env.TRIBUTARY_WORKLOAD_NAMESPACE_PREFIX ?? ''
  if (!NAMESPACE_PREFIX.test(namespacePrefix))
    problems.push('TRIBUTARY_WORKLOAD_NAMESPACE_PREFIX must be lower case and end in a hyphen, as in team-a-')
  const audience = env.TRIBUTARY_WORKLOAD_AUDIENCE ?? 'tributary'
  if (audience === '') problems.push('TRIBUTARY_WORKLOAD_AUDIENCE is empty; leave it out for "tributary"')
  const roles = readRoles(env.TRIBUTARY_WORKLOAD_ROLES ?? '', problems)
  return { instance, namespacePrefix, audience, roles, api: readApi(env, problems) }
}

function readRoles(text: string, problems: string[]): ReadonlyMap<string, TokenRole> {
  const roles = new Map<string, TokenRole>()
  for (const part of text.split(',').filter((each) => each !== '')) {
    const [, account, name] = ROLE.exec(part.trim()) ?? []
    const role = TOKEN_ROLES.find((known) => known === name)
    if (account === undefined || role === undefined || role === 'tenant') {
      const advice = 'write <namespace>/<account>=<role>, the role one of admin, deployer, viewer'
      problems.push(`TRIBUTARY_WORKLOAD_ROLES holds ${JSON.stringify(part)}: ${advice}`)
    } else roles.set(account, role)
  }
  return roles
}

/** Where the API server is: the pod's own, or what variables name. */
export function readApi(env: Environment, problems: string[]): IdentityConfig['api'] {
  const host = env.KUBERNETES_SERVICE_HOST ?? ''
  const own =
    host === ''
      ? undefined
      : `https://${host.includes(':') ? `[${host}]` : host}:${env.KUBERNETES_SERVICE_PORT ?? '443'}`
  const url = env.TRIBUTARY_KUBERNETES_URL ?? own
  if (url === undefined)
    problems.push('TRIBUTARY_KUBERNETES_URL is missing, and this is no pod that would know its cluster')
  else if (!/^https?:\/\/[^/?#@\s]+$/.test(url)) {
    problems.push('TRIBUTARY_KUBERNETES_URL is not an address like https://10.0.0.1:443, without user and path')
  }
  const caFile = env.TRIBUTARY_KUBERNETES_CA_FILE ?? (own === undefined ? undefined : `${ACCOUNT_FOLDER}/ca.crt`)
  return {
    url: url ?? '',
    tokenFile: env.TRIBUTARY_KUBERNETES_TOKEN_FILE ?? `${ACCOUNT_FOLDER}/token`,
    ...(caFile === undefined ? {} : { caFile }),
  }
}
