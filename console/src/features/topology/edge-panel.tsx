import type { Topology, TopologyEdge } from '@tributary/contract'
import type { JSX } from 'preact'
import { setQuery } from '../../data/router.js'
import { formatInstant, formatNumber, t } from '../../i18n/i18n.js'
import { ago, now } from '../../i18n/time.js'
import { Badge } from '../../ui/badge.js'
import { figuresOf, percentOf } from './edge-figures.js'
import type { RateMeter } from './rate-meter.js'
import { Facts, SidePanel } from './side-panel.js'

/** What is known of the calls from one service to another. */
export function EdgePanel(props: {
  readonly edge: TopologyEdge
  readonly topology: Topology
  readonly meter: RateMeter
  readonly onClose: () => void
}): JSX.Element {
  const { edge, meter, topology } = props
  const { from, to } = edge
  const figures = figuresOf([edge], meter, now.value)
  const leaks = topology.leaks.filter((leak) => leak.from === from && leak.to === to)
  return (
    <SidePanel title={t('edge.title', { from, to })} onClose={props.onClose}>
      <p>{t(edge.declared ? 'edge.declared' : 'edge.undeclared')}</p>
      {figures.observed ? <Figures figures={figures} /> : <p class="muted">{t('edge.never')}</p>}
      {leaks.map((leak) => (
        <p key={`${leak.kind} ${leak.route}`} class="note tone-bad">
          {t('topo.leak.line', { from, to, kind: t(`topo.leak.${leak.kind}`), n: leak.count, route: leak.route })}
        </p>
      ))}
      <div class="row">
        {[from, to].map((service) => (
          <button key={service} type="button" class="link" onClick={() => setQuery({ node: service, edge: undefined })}>
            {service}
          </button>
        ))}
      </div>
    </SidePanel>
  )
}

function Figures({ figures }: { readonly figures: ReturnType<typeof figuresOf> }): JSX.Element {
  const { rate, calls, errorShare, latency, lastSeenAt, leaks } = figures
  return (
    <Facts
      facts={[
        [t('edge.figure.rate'), rate === undefined ? '–' : t('edge.rate', { rate: formatNumber(rate) })],
        [t('edge.figure.calls'), formatNumber(calls)],
        [
          t('edge.figure.errors'),
          errorShare > 0 ? (
            <Badge tone="bad" icon="cross">
              {t('edge.errors', { percent: percentOf(errorShare) })}
            </Badge>
          ) : (
            t('edge.noErrors')
          ),
        ],
        [
          t('edge.figure.latency'),
          latency === undefined ? '–' : t('edge.latency', { p50: latency.p50Ms, p95: latency.p95Ms }),
        ],
        [
          t('edge.figure.seen'),
          lastSeenAt === undefined ? '–' : <span title={formatInstant(lastSeenAt)}>{ago(lastSeenAt)}</span>,
        ],
        leaks === 0 ? undefined : [t('edge.figure.leaks'), <strong key="leaks">{formatNumber(leaks)}</strong>],
      ]}
    />
  )
}
