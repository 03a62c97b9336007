import type { Topology } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { getTopology, topologyStreamPath } from '../../api/env-manager.js'
import { place } from '../../data/router.js'
import { useEventStream } from '../../data/use-event-stream.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { Empty, LoadedView } from '../../ui/loaded-view.js'
import { RateMeter } from './rate-meter.js'
import { TopologyStage } from './topology-stage.js'

/** The topology of an environment, live. */
export function TopologyView({ name }: { readonly name: string }): JSX.Element {
  const { state, live, meter } = useLiveTopology(name)
  return (
    <LoadedView loaded={state}>
      {(loaded) => {
        const topology = live ?? loaded
        if (topology.nodes.length === 0) return <Empty title={t('topo.empty')}>{t('topo.emptyText')}</Empty>
        return <TopologyStage topology={topology} meter={meter} query={place.value.query} />
      }}
    </LoadedView>
  )
}

/** What is read first, then each change as the stream tells it. While the stream is cut what is read now and then is shown. */
function useLiveTopology(name: string): {
  readonly state: ReturnType<typeof useLoaded<Topology>>['state']['value']
  readonly live: Topology | undefined
  readonly meter: RateMeter
} {
  const source = useLoaded<Topology>({
    key: `topology/${name}`,
    load: (signal) => getTopology(name, signal),
    topics: ['environment', 'config'],
  })
  const [live, setLive] = useState<Topology>()
  const meter = useMemo(() => new RateMeter(), [name])
  useEventStream(topologyStreamPath(name), {
    events: { topology: (data) => setLive(data as Topology) },
    onState: (open) => {
      if (!open) setLive(undefined)
    },
  })
  const state = source.state.value
  const shown = live ?? state.data
  useEffect(() => {
    if (shown !== undefined) meter.note(shown.edges, Date.now())
  }, [shown])
  return { state, live: state.failure === undefined ? live : undefined, meter }
}
