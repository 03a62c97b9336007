import type { TopologyNode } from '@tributary/contract'
import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'
import { NODE, type PlacedNode } from './graph-layout.js'
import { shortName } from './short-name.js'

/** How a shape is to be drawn beside its own state. */
export interface NodeLook {
  readonly selected: boolean
  /** Something else is in focus. */
  readonly dimmed: boolean
  readonly found: boolean
  /** What the difference to another environment is; undefined: not compared. */
  readonly difference: 'changed' | 'added' | 'removed' | 'same' | undefined
  /** Number on the way of a followed call. */
  readonly step: number | undefined
  readonly leaking: boolean
}

const NAME_LENGTH = 21
const NOTE_LENGTH = 28
const HEALTH_SIGN: Readonly<Record<TopologyNode['health'], string>> = {
  healthy: '✓',
  unhealthy: '✕',
  starting: '…',
  unknown: '–',
}
const DIFFERENCE_SIGN = { changed: '≠', added: '+', removed: '−', same: '' } as const

interface Props {
  readonly placed: PlacedNode
  readonly look: NodeLook
  /** In the tab order: one shape is, the arrow keys go to the others. */
  readonly reachable: boolean
}

/** A service or a group of services: shape, pattern and text tell its state; colour only repeats it. */
export function GraphNodeShape({ placed: { node, x, y }, look, reachable }: Props): JSX.Element {
  const [first] = node.members
  const state = node.kind === 'group' ? 'group' : (first?.state ?? 'missing')
  const classes = ['node', `node-${state}`, ...flagsOf(look)].join(' ')
  return (
    <g class={classes} transform={`translate(${x},${y})`}>
      <g aria-hidden="true">
        <Outline state={state} />
        {node.kind === 'group' ? <GroupText count={node.members.length} /> : null}
        {node.kind === 'service' && first !== undefined ? <ServiceText node={first} /> : null}
        <Marks look={look} />
      </g>
      <rect
        class="node-hit"
        width={NODE.width}
        height={NODE.height}
        role="button"
        // In SVG the names of attributes tell upper from lower case.
        {...{ tabindex: reachable ? 0 : -1 }}
        data-node={node.id}
        aria-label={labelOf(node.members, node.kind)}
        aria-pressed={look.selected}
      >
        {first === undefined || node.kind === 'group' ? null : <title>{first.service}</title>}
      </rect>
    </g>
  )
}

/** What a shape is called when it is read aloud. */
export function labelOf(members: readonly TopologyNode[], kind: 'service' | 'group'): string {
  const [first] = members
  if (kind === 'group' || first === undefined) return t('topo.groupLabel', { n: members.length })
  return t('topo.node', {
    service: first.service,
    state: t(`topo.state.${first.state}`),
    owner: first.owner === null || first.state === 'own' ? '' : t('topo.node.owner', { owner: first.owner }),
    health: t(`health.${first.health}`),
    version: first.version === null ? '' : t('topo.node.version', { version: first.version }),
  })
}

function flagsOf(look: NodeLook): readonly string[] {
  return [
    look.selected ? 'is-selected' : '',
    look.dimmed ? 'is-dimmed' : '',
    look.found ? 'is-found' : '',
    look.step === undefined ? '' : 'is-step',
    look.difference === undefined ? '' : `is-${look.difference}`,
  ]
}

function Outline({ state }: { readonly state: string }): JSX.Element {
  const { width, height } = NODE
  const radius = state === 'own' ? 6 : state === 'inherited' ? height / 2 : state === 'group' ? 14 : 2
  return (
    <>
      {state === 'group' ? <rect class="node-back" x={5} y={5} width={width} height={height} rx={radius} /> : null}
      <rect class="node-box" width={width} height={height} rx={radius} />
      {state === 'masked' ? <rect class="node-hatch" width={width} height={height} rx={radius} /> : null}
      {state === 'own' ? <path class="node-bar" d={`M6,0H6Q0,0 0,6V${height - 6}Q0,${height} 6,${height}Z`} /> : null}
    </>
  )
}

function ServiceText({ node }: { readonly node: TopologyNode }): JSX.Element {
  const { service, state, version, health } = node
  const note = state === 'own' || state === 'inherited' ? (version ?? t(`health.${health}`)) : t(`topo.state.${state}`)
  return (
    <>
      <text class="node-name" x={18} y={23}>
        {shortName(service, NAME_LENGTH)}
      </text>
      <text class="node-note" x={18} y={41}>
        {shortName(`${t(`topo.state.${state}`)}${note === t(`topo.state.${state}`) ? '' : ` · ${note}`}`, NOTE_LENGTH)}
      </text>
      {state === 'own' || state === 'inherited' ? (
        <g class={`health health-${health}`} transform={`translate(${NODE.width - 22},${NODE.height / 2})`}>
          <circle r={9} />
          <text y={4}>{HEALTH_SIGN[health]}</text>
        </g>
      ) : (
        <text class="node-sign" x={NODE.width - 24} y={34}>
          {state === 'masked' ? '⊘' : '?'}
        </text>
      )}
    </>
  )
}

function GroupText({ count }: { readonly count: number }): JSX.Element {
  return (
    <>
      <text class="node-name" x={18} y={23}>
        {t('topo.groupNode', { n: count })}
      </text>
      <text class="node-note" x={18} y={41}>
        {t('topo.state.inherited')}
      </text>
      <text class="node-sign" x={NODE.width - 26} y={34}>
        +
      </text>
    </>
  )
}

function Marks({ look }: { readonly look: NodeLook }): JSX.Element {
  const sign = look.difference === undefined ? '' : DIFFERENCE_SIGN[look.difference]
  return (
    <>
      {sign === '' ? null : (
        <g class="mark mark-diff" transform={`translate(${NODE.width - 4},2)`}>
          <circle r={11} />
          <text y={5}>{sign}</text>
        </g>
      )}
      {look.step === undefined ? null : (
        <g class="mark mark-step" transform="translate(0,2)">
          <circle r={11} />
          <text y={4.5}>{look.step}</text>
        </g>
      )}
      {look.leaking ? (
        <g class="mark mark-leak" transform={`translate(${NODE.width - 4},${NODE.height - 2})`}>
          <title>{t('topo.legend.leak')}</title>
          <circle r={11} />
          <path d="M0,-6C3,-2 4.5,0 4.5,2.500A4.5,4.5 0 0 1 -4.5,2.500C-4.5,0 -3,-2 0,-6Z" />
        </g>
      ) : null}
    </>
  )
}
