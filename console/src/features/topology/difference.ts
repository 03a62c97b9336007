import type { Topology, TopologyDifference, TopologyNode } from '@tributary/contract'

/** How a service differs: `added` is only in the environment itself, `removed` only in the one that it is compared with. */
export type DifferenceKind = 'changed' | 'added' | 'removed' | 'same'

type One = TopologyDifference['services'][number]

/** A field of a service that may differ, as text. */
export interface DifferingField {
  readonly field: 'state' | 'owner' | 'version' | 'commit' | 'health' | 'endpoints'
  readonly left: string
  readonly right: string
}

/**
 * Whether the two environments get different copies. A copy that is one environment's own and that the other one inherits is the same copy,
 * and tells nobody anything.
 */
export function isRealDifference({ left, right }: One): boolean {
  if (left === null || right === null) return true
  return left.owner === null || differingFields(left, right).some(({ field }) => field !== 'state')
}

/** How one service of a difference differs. */
export function kindOfDifference({ left, right }: One): DifferenceKind {
  if (right === null) return 'added'
  return left === null ? 'removed' : 'changed'
}

/** The fields in which two copies differ. */
export function differingFields(left: TopologyNode | null, right: TopologyNode | null): readonly DifferingField[] {
  const fields: readonly (readonly [DifferingField['field'], (node: TopologyNode) => string])[] = [
    ['state', ({ state }) => state],
    ['owner', ({ owner }) => owner ?? '–'],
    ['version', ({ version }) => version ?? '–'],
    ['commit', ({ commitSha }) => commitSha?.slice(0, 8) ?? '–'],
    ['health', ({ health }) => health],
    ['endpoints', ({ endpoints }) => endpoints.map(({ host, port }) => `${host}:${port}`).join(', ') || '–'],
  ]
  return fields.flatMap(([field, text]) => {
    const [one, other] = [left === null ? '–' : text(left), right === null ? '–' : text(right)]
    return one === other ? [] : [{ field, left: one, right: other }]
  })
}

/** The environment's topology together with the services that only the other one has. */
export function withOther(topology: Topology, { services }: TopologyDifference): Topology {
  const known = new Set(topology.nodes.map(({ service }) => service))
  const others = services.flatMap(({ right }) => (right === null || known.has(right.service) ? [] : [right]))
  return others.length === 0 ? topology : { ...topology, nodes: [...topology.nodes, ...others] }
}
