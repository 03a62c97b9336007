import type { Topology } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { setQuery } from '../../data/router.js'
import { t, tn } from '../../i18n/i18n.js'
import { now } from '../../i18n/time.js'
import { Icon } from '../../ui/icon.js'
import { DiffPanel, useDifference } from './diff-panel.js'
import { EdgePanel } from './edge-panel.js'
import { figuresOf } from './edge-figures.js'
import { FollowPanel, useFollow } from './follow-panel.js'
import { buildGraph, edgeId, GROUP_FROM, type GraphModel } from './graph-model.js'
import { GraphView } from './graph-view.js'
import { LeakList } from './leak-list.js'
import { Legend } from './legend.js'
import { lookFor } from './look.js'
import { NodePanel } from './node-panel.js'
import type { RateMeter } from './rate-meter.js'
import { TopologyList } from './topology-list.js'
import { modeOf, TopologyToolbar } from './topology-toolbar.js'

interface Props {
  readonly topology: Topology
  readonly meter: RateMeter
  readonly query: URLSearchParams
}

/** The drawing (or the list), what can be done with it, and the panel beside it. */
export function TopologyStage({ topology, meter, query }: Props): JSX.Element {
  const mode = modeOf(query)
  const view = useWish(topology, query)
  const follow = useFollow(topology, mode === 'follow' ? query : undefined)
  const difference = useDifference(topology, mode === 'diff' ? query : undefined)
  const model = useMemo(
    () => buildGraph(difference.topology, { ...view.wish, wanted: new Set([...view.wish.wanted, ...follow.services]) }),
    [difference.topology, view.key, follow.key],
  )
  const look = lookFor({ topology, model, query, follow, difference, found: view.found })
  const choose = (chosen: { readonly node?: string; readonly edge?: string }): void =>
    onChoose(chosen, { model, mode, open: view.open })
  return (
    <div class="topology">
      <Summary topology={topology} />
      <TopologyToolbar topology={topology} query={query} found={view.found} />
      <div class="topology-body">
        {query.get('list') === 'yes' ? (
          <TopologyList topology={difference.topology} difference={difference} />
        ) : (
          <GraphView
            name={topology.environment}
            model={model}
            {...look}
            figuresOf={({ members }) => figuresOf(members, meter, now.value)}
            laneText={(lane) => laneText(lane, topology)}
            onChoose={choose}
            reveal={view.found[0] ?? query.get('node') ?? undefined}
            sought={view.found.length > 0}
          />
        )}
        {query.get('list') === 'yes' ? null : <Legend />}
        {mode === 'diff' ? <DiffPanel topology={topology} difference={difference} /> : null}
        {mode === 'follow' ? <FollowPanel topology={topology} follow={follow} query={query} /> : null}
        {mode === 'live' ? <Chosen topology={topology} meter={meter} query={query} /> : null}
      </div>
      <LeakList topology={topology} />
    </div>
  )
}

/** The panel of what was chosen. */
function Chosen({ topology, meter, query }: Props): JSX.Element | null {
  const node = topology.nodes.find(({ service }) => service === query.get('node'))
  const wanted = query.get('edge')
  const close = (): void => setQuery({ node: undefined, edge: undefined, panel: undefined })
  if (node !== undefined) return <NodePanel topology={topology} node={node} query={query} onClose={close} />
  const edge = topology.edges.find(({ from, to }) => edgeId(from, to) === wanted)
  return edge === undefined ? null : <EdgePanel edge={edge} meter={meter} topology={topology} onClose={close} />
}

function Summary({ topology }: { readonly topology: Topology }): JSX.Element {
  const count = (state: string): number => topology.nodes.filter((node) => node.state === state).length
  const numbers = {
    own: count('own'),
    inherited: count('inherited'),
    masked: count('masked'),
    missing: count('missing'),
  }
  const leaks = topology.edges.filter(({ observed }) => observed !== null && observed.leaks > 0).length
  return (
    <p class="topology-summary">
      <span>{t('topo.summary', numbers)}</span>
      {leaks > 0 ? (
        <a class="leak-count" href="#leaks" onClick={scrollToLeaks}>
          <Icon name="drop" size={14} /> {tn('topo.leaks', topology.leaks.length)}
        </a>
      ) : null}
    </p>
  )
}

function scrollToLeaks(event: Event): void {
  event.preventDefault()
  document.getElementById('leaks')?.scrollIntoView({ block: 'start' })
}

interface View {
  readonly wish: Parameters<typeof buildGraph>[1]
  /** Changes with the wish. */
  readonly key: string
  readonly found: readonly string[]
  readonly open: (lane: string) => void
}

/** What the address and the opened groups say about what is to be seen. */
function useWish(topology: Topology, query: URLSearchParams): View {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set())
  useEffect(() => setOpened(new Set()), [topology.environment])
  const text = (query.get('find') ?? '').toLowerCase()
  const found =
    text === '' ? [] : topology.nodes.map(({ service }) => service).filter((service) => service.includes(text))
  const grouped = (query.get('group') ?? (topology.nodes.length >= GROUP_FROM ? 'yes' : 'no')) === 'yes'
  const node = query.get('node')
  const focus = query.get('focus') === 'yes' ? (node ?? found[0]) : undefined
  const wanted = new Set([...found, ...(node === null ? [] : [node])])
  return {
    wish: { grouped, opened, focus, wanted },
    key: [grouped, [...opened].join(), focus, [...wanted].join()].join('|'),
    found,
    open: (lane) => setOpened(new Set([...opened, lane])),
  }
}

function onChoose(
  { node, edge }: { readonly node?: string; readonly edge?: string },
  { model, mode, open }: { readonly model: GraphModel; readonly mode: string; readonly open: (lane: string) => void },
): void {
  const shape = model.nodes.find(({ id }) => id === node)
  if (shape?.kind === 'group') {
    open(shape.lane ?? '')
    return
  }
  if (mode === 'follow') {
    if (node !== undefined) setQuery({ to: node })
    return
  }
  setQuery({ node, edge })
}

function laneText(lane: string | null, { chain }: Topology): { readonly title: string; readonly note: string } {
  if (lane === null) return { title: t('topo.lane.nobody'), note: t('topo.lane.nobodyText') }
  return { title: lane, note: lane === chain[0] ? t('topo.lane.own') : t('topo.lane.base') }
}
