import type { ChartRelease, ReleaseName } from '../../ports/chart-releases.js'
import type { ClusterFacts } from './cluster-facts.js'
import type { HelmMajor } from './helm-version.js'

/** What is the same for all commands of an adapter. */
export interface HelmSettings {
  readonly major: HelmMajor
  /** Of a hook, or of another single operation of helm. */
  readonly timeoutSeconds: number
  /** Revisions of a release that helm keeps. */
  readonly historyMax: number
}

/** Everything but the names at the end stands in one word with its flag, and names come after `--`: no value can be read as a flag. */
const FROM_STDIN = ['-f', '-'] as const

/**
 * Helm 4 applies on the server as one field manager. What the release declares is the release's: a field that someone else changed
 * by hand is taken back, as the API conventions say of controllers. Helm 3 does the same by its three-way merge.
 */
function appliedBy(major: HelmMajor): readonly string[] {
  return major === 3 ? [] : ['--server-side=true', '--force-conflicts']
}

/**
 * Helm's own check of the objects reads the API server's whole OpenAPI document for every command: a third of what it computes, and 40 MB. The platform's own chart can do without: its
 * values are bounded by its schema. A foreign one is checked before anything of it is applied.
 */
function checkedBy(origin: ChartRelease['origin']): readonly string[] {
  return origin === 'platform' ? ['--disable-openapi-validation'] : []
}

/** `helm upgrade --install` of a chart folder. CRDs would outlive the release: they are left out. */
export function applyArguments(
  release: Pick<ChartRelease, 'kubeNamespace' | 'name' | 'description' | 'labels' | 'origin'>,
  folder: string,
  settings: HelmSettings,
): string[] {
  const labels = Object.entries(release.labels).map(([name, value]) => `${name}=${value}`)
  return [
    'upgrade',
    '--install',
    `--namespace=${release.kubeNamespace}`,
    `--description=${release.description}`,
    ...(labels.length === 0 ? [] : [`--labels=${labels.join(',')}`]),
    `--history-max=${settings.historyMax}`,
    `--timeout=${settings.timeoutSeconds}s`,
    '--reset-values',
    '--skip-crds',
    ...appliedBy(settings.major),
    ...checkedBy(release.origin),
    '--output=json',
    ...FROM_STDIN,
    '--',
    release.name,
    folder,
  ]
}

/** `helm template`, as for the cluster of the facts, without asking it. `isPlain`: the chart's registry speaks HTTP without TLS. */
export function renderArguments(release: ChartRelease, facts: ClusterFacts, isPlain: boolean): string[] {
  return [
    'template',
    `--namespace=${release.kubeNamespace}`,
    `--kube-version=${facts.kubeVersion}`,
    ...facts.apiVersions.map((version) => `--api-versions=${version}`),
    '--skip-crds',
    '--skip-tests',
    ...(release.version === undefined ? [] : [`--version=${release.version}`]),
    ...(isPlain ? ['--plain-http'] : []),
    ...FROM_STDIN,
    '--',
    release.name,
    release.chart,
  ]
}

/** `helm install --dry-run=server` of a chart that makes nothing: its notes tell what the cluster is. */
export function factsArguments(kubeNamespace: string, folder: string): string[] {
  return ['install', '--dry-run=server', `--namespace=${kubeNamespace}`, '--output=json', '--', 'cluster-facts', folder]
}

/** `helm rollback`. */
export function rollbackArguments(
  target: ReleaseName & { readonly helmRevision: number },
  settings: HelmSettings,
): string[] {
  return [
    'rollback',
    `--namespace=${target.kubeNamespace}`,
    `--history-max=${settings.historyMax}`,
    `--timeout=${settings.timeoutSeconds}s`,
    ...appliedBy(settings.major),
    '--',
    target.name,
    String(target.helmRevision),
  ]
}

/** `helm uninstall`, which keeps no history. */
export function uninstallArguments(target: ReleaseName, settings: HelmSettings): string[] {
  return [
    'uninstall',
    `--namespace=${target.kubeNamespace}`,
    '--ignore-not-found',
    `--timeout=${settings.timeoutSeconds}s`,
    '--',
    target.name,
  ]
}

/** `helm history`: the newest `max` revisions. */
export function historyArguments(target: ReleaseName, max: number): string[] {
  return ['history', `--namespace=${target.kubeNamespace}`, `--max=${max}`, '--output=json', '--', target.name]
}

/** `helm list` of all states: what helm 4 does by itself. */
export function listArguments(kubeNamespace: string, major: HelmMajor): string[] {
  return [
    'list',
    ...(major === 3 ? ['--all'] : []),
    `--namespace=${kubeNamespace}`,
    '--max=0',
    '--time-format=2006-01-02T15:04:05.000Z07:00',
    '--output=json',
  ]
}
