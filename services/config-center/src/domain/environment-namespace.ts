/** Labels of everything that the platform makes on a cluster (docs/adr/0014). */
export const LABELS = {
  managedBy: 'app.kubernetes.io/managed-by',
  instance: 'tributary.dev/instance',
  environment: 'tributary.dev/environment',
} as const

/** The value of {@link LABELS}`.managedBy`. */
export const MANAGED_BY = 'tributary'

/** A Kubernetes namespace, as far as it matters here. */
export interface LabelledNamespace {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/**
 * The tenant of a namespace: the environment that its label names, with which its own name ends (an installation may put a prefix before the names of all
 * its namespaces); undefined when it is none of this instance's.
 */
export function tenantOfNamespace({ name, labels }: LabelledNamespace, instance: string): string | undefined {
  const isOurs = labels[LABELS.managedBy] === MANAGED_BY && labels[LABELS.instance] === instance
  const environment = labels[LABELS.environment] ?? ''
  const isNamedSo = name === environment || name.endsWith(`-${environment}`)
  return isOurs && environment !== '' && isNamedSo ? environment : undefined
}

/** The label selector that finds all namespaces of `instance`. */
export function namespaceSelector(instance: string): string {
  return `${LABELS.managedBy}=${MANAGED_BY},${LABELS.instance}=${instance}`
}
