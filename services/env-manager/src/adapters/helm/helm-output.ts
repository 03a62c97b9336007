import { Type, type Static, type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { failure } from '../../errors.js'
import type { ChartRevision, ReleaseStatus } from '../../ports/chart-releases.js'

/** What `helm upgrade --output=json` prints, as far as it is of interest. */
const Applied = Type.Object({
  version: Type.Integer(),
  info: Type.Object({ status: Type.String(), description: Type.Optional(Type.String()), last_deployed: Type.String() }),
})
const History = Type.Array(
  Type.Object({
    revision: Type.Integer(),
    updated: Type.String(),
    status: Type.String(),
    description: Type.Optional(Type.String()),
  }),
)
const List = Type.Array(
  Type.Object({
    name: Type.String(),
    namespace: Type.String(),
    revision: Type.String(),
    updated: Type.String(),
    status: Type.String(),
  }),
)
const Notes = Type.Object({ info: Type.Object({ notes: Type.String() }) })

/** A revision with Helm's own word for its state. */
export interface HelmRevision extends ChartRevision {
  readonly status: string
}

/** Reads the answer of `helm upgrade`. */
export function parseApplied(text: string): ChartRevision {
  const { version, info } = parse(text, Applied, 'helm upgrade')
  const state = stateOf(info.status)
  return { helmRevision: version, state, description: info.description ?? '', appliedAt: instantOf(info.last_deployed) }
}

/** Reads the answer of `helm history`, newest first. */
export function parseHistory(text: string): HelmRevision[] {
  return parse(text, History, 'helm history')
    .map(({ revision, updated, status, description }) => ({
      helmRevision: revision,
      state: stateOf(status),
      status,
      description: description ?? '',
      appliedAt: instantOf(updated),
    }))
    .sort((left, right) => right.helmRevision - left.helmRevision)
}

/** Reads the answer of `helm list`. */
export function parseList(text: string): ReleaseStatus[] {
  return parse(text, List, 'helm list').map(({ name, namespace, revision, updated, status }) => ({
    kubeNamespace: namespace,
    name,
    helmRevision: Number(revision),
    state: stateOf(status),
    appliedAt: instantOf(updated),
  }))
}

/** Reads the notes of a chart that was tried: JSON of the given schema. */
export function parseNotes<Schema extends TSchema>(text: string, schema: Schema): Static<Schema> {
  return parse(parse(text, Notes, 'helm install').info.notes, schema, 'the notes of a chart')
}

function stateOf(status: string): ChartRevision['state'] {
  switch (status) {
    case 'deployed':
    case 'superseded':
    case 'failed':
    case 'uninstalled':
      return status
    case 'uninstalling':
    case 'pending-install':
    case 'pending-upgrade':
    case 'pending-rollback':
      return 'pending'
    default:
      return 'unknown'
  }
}

/** Helm prints RFC 3339 with nanoseconds. */
function instantOf(text: string): number {
  const at = Date.parse(text)
  return Number.isNaN(at) ? 0 : at
}

function parse<Schema extends TSchema>(text: string, schema: Schema, what: string): Static<Schema> {
  try {
    return Value.Parse(schema, JSON.parse(text))
  } catch (cause) {
    throw failure('HELM_FAILED', `could not read the answer of ${what}: it is not what helm 3 and 4 print`, { cause })
  }
}
