/** Which hosts of the outside a chart may claim in an environment. All in their normal form. */
export interface ChartHosts {
  /** The environment's own host: names below it are its own too. */
  readonly own: string | undefined
  /** Further ones that the operator allows, letter by letter. */
  readonly allowed: readonly string[]
  /** Never, whatever else allows them: where people sign in. */
  readonly reserved: readonly string[]
}

/** A chart that may claim none. */
export const NO_HOSTS: ChartHosts = { own: undefined, allowed: [], reserved: [] }

/** What the hosts of an environment follow from. */
export interface ChartHostSources {
  readonly environment: string
  /** How environments are reached, with `{environment}`. */
  readonly url: string
  /** Hosts of the configuration, with or without `{environment}`. */
  readonly allowed: readonly string[]
  /** Addresses of the platform itself. */
  readonly reservedUrls: readonly string[]
}

/** Works out which hosts the charts of an environment may claim. Pure. */
export function chartHostsOf({ environment, url, allowed, reservedUrls }: ChartHostSources): ChartHosts {
  const named = (template: string): string => template.replaceAll('{environment}', environment)
  return {
    own: hostOf(named(url)),
    allowed: allowed.map((template) => normalHost(named(template)) ?? template),
    reserved: reservedUrls.flatMap((one) => hostOf(one) ?? []),
  }
}

/** Why a chart may not claim a host, as the end of a sentence; undefined when it may. */
export function hostProblem(host: unknown, hosts: ChartHosts): string | undefined {
  if (typeof host !== 'string' || host === '') return `claims every host: it names none; ${adviceOf(hosts)}`
  const shown = JSON.stringify(host.slice(0, 253))
  if (host.includes('*')) return `claims the hosts ${shown}, and with them those of others; ${adviceOf(hosts)}`
  const normal = normalHost(host)
  if (normal !== undefined && hosts.reserved.includes(normal))
    return `claims ${shown}, where people sign in to Tributary`
  if (normal !== undefined && isAllowed(normal, hosts)) return undefined
  return `claims the host ${shown}, which is not this environment’s; ${adviceOf(hosts)}`
}

/** What a chart may do, and what an operator can do about it. */
export function adviceOf({ own, allowed }: ChartHosts): string {
  const names = [...(own === undefined ? [] : [`${own} and names below it`]), ...allowed]
  const may = names.length === 0 ? 'it may claim none' : `it may claim ${names.join(', ')}`
  return `${may}; an operator can allow more with platform.kubernetes.charts.hosts`
}

function isAllowed(host: string, { own, allowed }: ChartHosts): boolean {
  return host === own || (own !== undefined && host.endsWith(`.${own}`)) || allowed.includes(host)
}

const LABEL = /^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?$/

/**
 * Lower-case, without the dot of the root: DNS knows no difference. Undefined for what is no name of DNS: letters outside of ASCII are not translated, because
 * whoever reads them next might do it in another way.
 */
function normalHost(host: string): string | undefined {
  if (!/^[\x21-\x7e]+$/.test(host)) return undefined
  const name = host.toLowerCase().replace(/\.$/, '')
  return name.length <= 253 && name.split('.').every((label) => LABEL.test(label)) ? name : undefined
}

function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? normalHost(new URL(url).hostname) : undefined
}
