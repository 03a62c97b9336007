import { createHash } from 'node:crypto'

/** Labels of everything that an installation makes; the namespace's are what decides whose it is. */
export const LABELS = {
  managedBy: 'app.kubernetes.io/managed-by',
  instance: 'tributary.dev/instance',
  environment: 'tributary.dev/environment',
  service: 'tributary.dev/service',
  /** What an object of ours is for: `copy` (variables and secrets of one copy), `name` (a Service of a service's name), `space`. */
  purpose: 'tributary.dev/purpose',
} as const

/** Annotations of namespaces, of pod templates and of Services. */
export const ANNOTATIONS = {
  generation: 'tributary.dev/generation',
  workloadId: 'tributary.dev/workload-id',
  commit: 'tributary.dev/commit',
  version: 'tributary.dev/version',
  /** Declared ports as `name:protocol:port`, with commas. */
  ports: 'tributary.dev/ports',
  /** Of a Service that led to pods and leads to an address now: what the cluster remembers of the pods is to be forgotten yet. */
  forgetAddresses: 'tributary.dev/forget-addresses',
} as const

/** Value of {@link LABELS.managedBy}. */
export const MANAGED_BY = 'tributary'

const MAX_RELEASE = 53

/** Which namespace is an environment's: the prefix and its name. Several installations on one cluster differ in the prefix. */
export class Spaces {
  constructor(private readonly prefix: string) {}

  namespaceOf(environment: string): string {
    return `${this.prefix}${environment}`
  }

  /** Undefined for a namespace that cannot be one of ours. */
  environmentOf(namespace: string): string | undefined {
    return namespace.startsWith(this.prefix) ? namespace.slice(this.prefix.length) : undefined
  }
}

/** Labels of an object in an environment's namespace. */
export function labelsOf(
  { instance, environment }: { readonly instance: string; readonly environment: string },
  more: { readonly service?: string; readonly purpose?: 'copy' | 'name' | 'space' } = {},
): Record<string, string> {
  return {
    [LABELS.managedBy]: MANAGED_BY,
    [LABELS.instance]: instance,
    [LABELS.environment]: environment,
    ...(more.service === undefined ? {} : { [LABELS.service]: more.service }),
    ...(more.purpose === undefined ? {} : { [LABELS.purpose]: more.purpose }),
  }
}

/** Selects what bears all of the labels. */
export function selectorOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',')
}

/** The Helm release of a service: its name, cut with a hash when Helm would not take it. */
export function releaseNameOf(service: string): string {
  if (service.length <= MAX_RELEASE) return service
  const hash = createHash('sha256').update(service).digest('hex').slice(0, 8)
  return `${service.slice(0, MAX_RELEASE - 9).replace(/-+$/, '')}-${hash}`
}

/** The Secret with a copy's variables and secrets. */
export function copySecretName(service: string, fingerprint: string): string {
  return `${releaseNameOf(service)}-${fingerprint}`
}
