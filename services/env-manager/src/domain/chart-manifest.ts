import { parseAllDocuments, type ScalarTag, type CollectionTag, type Tags } from 'yaml'
import { accessProblemsOf } from './chart-access.js'
import { claimProblemsOf, type ClaimContext } from './chart-claims.js'
import { isNestedTooDeeply, MAX_YAML_NESTING } from './yaml-nesting.js'

/** An object of the Kubernetes API, as far as it is looked at. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** What a chart's templates make: objects that may be sent, or why not. */
export type ChartManifest =
  { readonly objects: readonly KubeObject[]; readonly problems?: undefined } | { readonly problems: readonly string[] }

/** Groups of the API server itself; all others are somebody's custom resources. */
const BUILT_IN_GROUPS =
  /^$|^(apps|autoscaling|batch|extensions|policy)$|^(admissionregistration|apiextensions|apiregistration|authentication|authorization|certificates|coordination|discovery|events|networking|node|rbac\.authorization|resource|scheduling|storage)\.k8s\.io$|\.apiserver\.k8s\.io$/

/** What a service may make of the API server's own kinds, by group: they live in a namespace and go with it. */
const ALLOWED_KINDS: Readonly<Record<string, readonly string[]>> = {
  '': [
    'ConfigMap',
    'Endpoints',
    'PersistentVolumeClaim',
    'Pod',
    'PodTemplate',
    'ReplicationController',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  apps: ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  autoscaling: ['HorizontalPodAutoscaler'],
  batch: ['CronJob', 'Job'],
  'coordination.k8s.io': ['Lease'],
  'discovery.k8s.io': ['EndpointSlice'],
  extensions: ['Ingress'],
  'networking.k8s.io': ['Ingress'],
  policy: ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io': ['Role', 'RoleBinding'],
}

/** What the platform sets for a whole environment: a service that could add to it could lift its bounds. */
const PLATFORM_KINDS = ['LimitRange', 'NetworkPolicy', 'ResourceQuota']

/**
 * Reads what templates printed as Helm would, and checks that it stays within a namespace: no object of another one, none of the whole cluster, none that
 * bounds the environment, none that gives its pods more rights than a service may have, none that claims a host which is not the environment's. Each object
 * is given its namespace. Lists are taken apart.
 */
export function readChartManifest(text: string, context: ClaimContext): ChartManifest {
  const { kubeNamespace } = context
  const problems: string[] = []
  const objects: KubeObject[] = []
  for (const value of readDocuments(text, problems).flatMap(itemsOf)) {
    if (!isKubeObject(value)) problems.push(`an object without apiVersion, kind or metadata.name: ${excerptOf(value)}`)
    else problems.push(...problemsOf(value, context))
    if (isKubeObject(value)) objects.push({ ...value, metadata: { ...value.metadata, namespace: kubeNamespace } })
  }
  return problems.length > 0 ? { problems } : { objects }
}

/** YAML that Helm and any parser read alike: every document is JSON. */
export function renderManifest(objects: readonly KubeObject[]): string {
  return objects.map((object) => `---\n${yamlSafeJson(object, 1)}\n`).join('')
}

/** JSON that is read as YAML without a change: what JSON may hold as it is, but YAML takes for the end of a line, for nothing or for an error, is escaped. */
export function yamlSafeJson(value: unknown, indent?: number): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value, undefined, indent).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, escaped)
}

function problemsOf(object: KubeObject, context: ClaimContext): string[] {
  const { kubeNamespace } = context
  const { apiVersion, kind, metadata } = object
  const what = `${kind} "${metadata.name}"`
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  if (metadata.namespace !== undefined && metadata.namespace !== kubeNamespace)
    return [`${what} is for namespace "${metadata.namespace}"; leave metadata.namespace out`]
  const claims = claimProblemsOf(object, context).map((problem) => `${what} ${problem}`)
  if (!BUILT_IN_GROUPS.test(group)) return claims
  if (PLATFORM_KINDS.includes(kind)) return [`${what}: a ${kind} is the platform's to set; switch it off in the chart`]
  if (!ALLOWED_KINDS[group]?.includes(kind))
    return [`${what} (${apiVersion}) is not a kind that a service may make: it is not of its namespace alone`]
  return [...claims, ...accessProblemsOf(object, kubeNamespace).map((problem) => `${what} ${problem}`)]
}

function readDocuments(text: string, problems: string[]): unknown[] {
  if (isNestedTooDeeply(text)) {
    problems.push(`the templates make YAML that is nested deeper than ${MAX_YAML_NESTING} levels`)
    return []
  }
  // YAML 1.1 as Go reads it: "yes" is a boolean and 0644 octal, but 12:30 and a date are text.
  const documents = parseAllDocuments(text, { version: '1.1', customTags: withoutTimes, logLevel: 'error' })
  return documents.flatMap((document) => {
    const [error] = document.errors
    if (error !== undefined) {
      problems.push(`the templates make YAML that cannot be read: ${error.message.split('\n')[0]}`)
      return []
    }
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 })
      if (!isExact(value)) problems.push(`a number that JSON cannot hold in ${excerptOf(value)}; write it in quotes`)
      return value === null || value === undefined ? [] : [value]
    } catch (error) {
      problems.push(
        `the templates make YAML that cannot be read: ${error instanceof Error ? error.message : 'unknown'}`,
      )
      return []
    }
  })
}

function withoutTimes(tags: Tags): Tags {
  return tags.filter((tag) => typeof tag === 'string' || !isTime(tag))
}

function isTime(tag: ScalarTag | CollectionTag): boolean {
  return tag.tag === 'tag:yaml.org,2002:timestamp' || ('format' in tag && tag.format === 'TIME')
}

/** Numbers beyond 2^53 would be another number afterwards. */
function isExact(value: unknown): boolean {
  if (typeof value === 'number')
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isExact)
  return true
}

function itemsOf(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || !('items' in value) || !Array.isArray(value.items)) return [value]
  return 'kind' in value && String(value.kind).endsWith('List') ? value.items.flatMap(itemsOf) : [value]
}

function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null) return false
  if (!('apiVersion' in value && 'kind' in value && 'metadata' in value)) return false
  const { apiVersion, kind, metadata } = value
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return false
  if (typeof metadata !== 'object' || metadata === null || !('name' in metadata)) return false
  return typeof metadata.name === 'string' && (!('namespace' in metadata) || typeof metadata.namespace === 'string')
}

function excerptOf(value: unknown): string {
  return JSON.stringify(value).slice(0, 120)
}
