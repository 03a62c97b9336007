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

/** How an installation marks and calls the namespaces of its environments. */
export interface EnvironmentNamespaces {
  readonly instance: string
  /** Before the environment's name; may be empty. */
  readonly prefix: string
}

/**
 * The tenant of a namespace: the environment that its label names, whose name it bears after the installation's prefix; undefined when it is none of this
 * instance's. Both must agree, so that whoever may label a namespace of another name cannot make it an environment.
 */
export function tenantOfNamespace(
  { name, labels }: LabelledNamespace,
  { instance, prefix }: EnvironmentNamespaces,
): string | undefined {
  const isOurs = labels[LABELS.managedBy] === MANAGED_BY && labels[LABELS.instance] === instance
  const environment = labels[LABELS.environment] ?? ''
  return isOurs && environment !== '' && name === `${prefix}${environment}` ? environment : undefined
}

/** The label selector that finds all namespaces of `instance`. */
export function namespaceSelector(instance: string): string {
  return `${LABELS.managedBy}=${MANAGED_BY},${LABELS.instance}=${instance}`
}
