import type { KubeObject } from './chart-manifest.js'

/** What tells whose an object is, and which copy of a service a pod. */
export interface ObjectStamp {
  readonly labels: Readonly<Record<string, string>>
  readonly podAnnotations: Readonly<Record<string, string>>
}

/** Kinds whose pods are the service. Those of Jobs are not: no Service must lead to them. */
const SERVING_KINDS = ['Deployment', 'StatefulSet', 'DaemonSet']

/**
 * Puts the labels on every object, and labels and annotations on the pods of its Deployments, StatefulSets and DaemonSets: a chart need not know them.
 * They win over those of the chart.
 */
export function stampObjects(objects: readonly KubeObject[], stamp: ObjectStamp): readonly KubeObject[] {
  return objects.map((object) => {
    const stamped = {
      ...object,
      metadata: { ...object.metadata, ...withMore(object.metadata, { labels: stamp.labels }) },
    }
    return SERVING_KINDS.includes(object.kind) ? withStampedPods(stamped, stamp) : stamped
  })
}

/** The same for the chart of the platform itself: by the values that it takes its labels and annotations from. They win over what the values had. */
export function stampValues(
  values: Readonly<Record<string, unknown>>,
  { labels, podAnnotations }: ObjectStamp,
): Readonly<Record<string, unknown>> {
  const over = (name: string, map: Readonly<Record<string, string>>): object => ({ ...asRecord(values[name]), ...map })
  return {
    ...values,
    labels: over('labels', labels),
    podLabels: over('podLabels', labels),
    podAnnotations: over('podAnnotations', podAnnotations),
  }
}

function withStampedPods(object: KubeObject, { labels, podAnnotations }: ObjectStamp): KubeObject {
  const spec = asRecord('spec' in object ? object.spec : undefined)
  const template = asRecord(spec['template'])
  const metadata = asRecord(template['metadata'])
  const stamped = { ...metadata, ...withMore(metadata, { labels, annotations: podAnnotations }) }
  const result: KubeObject & { readonly spec: unknown } = {
    ...object,
    spec: { ...spec, template: { ...template, metadata: stamped } },
  }
  return result
}

/** The maps of `more`, each over the one of its name in `metadata`. */
function withMore(metadata: object, more: Readonly<Record<string, Readonly<Record<string, string>>>>): object {
  const entries = Object.entries(more).filter(([, map]) => Object.keys(map).length > 0)
  const before = asRecord(metadata)
  return Object.fromEntries(entries.map(([name, map]) => [name, { ...asRecord(before[name]), ...map }]))
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
