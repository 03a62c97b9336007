import type { CallExplanation, ProbeReport, Topology } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { explainCall, probe } from '../../api/env-manager.js'
import { denial } from '../../api/session.js'
import { setQuery } from '../../data/router.js'
import { t } from '../../i18n/i18n.js'
import { Badge } from '../../ui/badge.js'
import { Button } from '../../ui/button.js'
import { Select } from '../../ui/field.js'
import { Icon } from '../../ui/icon.js'
import { tell } from '../../ui/toast.js'
import { entriesOf, pathOf, type Hop } from './follow-path.js'
import { edgeId, type GraphEdge } from './graph-model.js'
import { SidePanel } from './side-panel.js'

/** The way of a request through the drawing. */
export interface Follow {
  readonly active: boolean
  readonly key: string
  readonly services: readonly string[]
  readonly hops: readonly Hop[] | undefined
  readonly stepOf: (id: string) => number | undefined
  readonly has: (edge: GraphEdge) => boolean
  /** How a line is drawn because of the way or of a probe; empty: as usual. */
  readonly resultOf: (edge: GraphEdge) => string
  readonly report: ProbeReport | undefined
  readonly setReport: (report: ProbeReport | undefined) => void
}

const OUTSIDE = ''

/** The way that the address asks for; without a query nothing is followed. */
export function useFollow(topology: Topology, query: URLSearchParams | undefined): Follow {
  const [report, setReport] = useState<ProbeReport>()
  const from = query?.get('from') ?? null
  const to = query?.get('to') ?? null
  const hops = useMemo(
    () => (to === null ? undefined : pathOf(topology.edges, from === OUTSIDE ? null : from, to)),
    [topology.edges, from, to],
  )
  useEffect(() => setReport(undefined), [topology.environment, query === undefined])
  const steps = new Map((hops ?? []).map((hop, index) => [hop.to, index + 1]))
  const calls = new Set((hops ?? []).map((hop) => edgeId(hop.from ?? '', hop.to)))
  const results = new Map((report?.edges ?? []).map((edge) => [edgeId(edge.from ?? '', edge.to), edge.result]))
  return {
    active: query !== undefined && hops !== undefined,
    key: [...steps.keys()].join(),
    services: [...steps.keys()],
    hops,
    stepOf: (id) => steps.get(id),
    has: ({ id }) => calls.has(id),
    resultOf: ({ id }) => results.get(id) ?? (calls.has(id) ? 'path' : ''),
    report: query === undefined ? undefined : report,
    setReport,
  }
}

/** Where the request goes, and at each hop who answers and why. */
export function FollowPanel({
  topology,
  follow,
  query,
}: {
  readonly topology: Topology
  readonly follow: Follow
  readonly query: URLSearchParams
}): JSX.Element {
  const services = topology.nodes.map(({ service }) => service).sort()
  const entries = entriesOf(services, topology.edges)
  const [from, to] = [query.get('from') ?? OUTSIDE, query.get('to') ?? '']
  const starts = [...entries, ...services.filter((service) => !entries.includes(service))]
  return (
    <SidePanel title={t('topo.mode.follow')}>
      <div class="stack">
        <Select
          label={t('follow.start')}
          value={from}
          choices={[{ value: OUTSIDE, text: t('follow.entry') }, ...starts.map((value) => ({ value, text: value }))]}
          onChange={(value) => setQuery({ from: value })}
        />
        <Select
          label={t('follow.end')}
          value={to}
          choices={[{ value: '', text: '…' }, ...services.map((value) => ({ value, text: value }))]}
          onChange={(value) => setQuery({ to: value })}
        />
        {to === '' ? <p class="muted">{t('follow.pick')}</p> : null}
        {to !== '' && follow.hops === undefined ? (
          <p class="note tone-warn">{t('follow.noPath', { from, to })}</p>
        ) : null}
      </div>
      <ol class="hops">
        {(follow.hops ?? []).map((hop, index) => (
          <HopLine key={`${hop.from} ${hop.to}`} name={topology.environment} hop={hop} step={index + 1} />
        ))}
      </ol>
      <Probe name={topology.environment} follow={follow} />
    </SidePanel>
  )
}

function HopLine({
  name,
  hop,
  step,
}: {
  readonly name: string
  readonly hop: Hop
  readonly step: number
}): JSX.Element {
  const [told, setTold] = useState<CallExplanation | string>()
  useEffect(() => {
    let over = false
    explainCall(name, { call: hop.to, from: hop.from ?? undefined }).then(
      (explanation) => over || setTold(explanation),
      (error: unknown) => over || setTold(error instanceof Error ? error.message : String(error)),
    )
    return () => {
      over = true
    }
  }, [name, hop.from, hop.to])
  return (
    <li class="hop">
      <span class="hop-step" aria-hidden="true">
        {step}
      </span>
      <div>
        <strong class="wrap">{t('follow.hop', { n: step, from: hop.from ?? t('follow.entry'), to: hop.to })}</strong>
        {told === undefined ? <p class="muted small">{t('load.loading')}</p> : null}
        {typeof told === 'string' ? <p class="note tone-bad">{told}</p> : null}
        {typeof told === 'object' ? <HopReason told={told} /> : null}
      </div>
    </li>
  )
}

function HopReason({ told }: { readonly told: CallExplanation }): JSX.Element {
  const { rule, owner, endpoints, summary, from, alternatives } = told
  const without = from?.withoutContext?.owner
  return (
    <>
      <p>
        <span class={`state-word state-${rule}`}>{t(`topo.state.${rule}`)}</span>{' '}
        {owner === null ? t('follow.nobody') : t('follow.answers', { owner })}{' '}
        {endpoints.map(({ host, port }) => (
          <code key={`${host}:${port}`}>{`${host}:${port}`}</code>
        ))}
      </p>
      <p class="small">{summary}</p>
      {from === undefined ? null : <p class="small muted">{from.summary}</p>}
      {without !== null && without !== undefined && without !== owner ? (
        <p class="small muted">{t('follow.lost', { owner: without })}</p>
      ) : null}
      {alternatives.length === 0 ? null : (
        <ul class="small muted">
          {alternatives.map(({ tenant, whyNot }) => (
            <li key={tenant}>
              {tenant}: {whyNot}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Probe({ name, follow }: { readonly name: string; readonly follow: Follow }): JSX.Element {
  const [busy, setBusy] = useState(false)
  const send = async (): Promise<void> => {
    setBusy(true)
    try {
      follow.setReport(await probe(name))
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      tell('bad', t('action.failed', { action: t('follow.probe'), message }))
    }
    setBusy(false)
  }
  const { report } = follow
  return (
    <section class="probe">
      <p class="muted small">{t('follow.probeHelp')}</p>
      <Button
        icon={busy ? 'spinner' : 'runs'}
        unavailable={denial('change-environment', 'feature')}
        onClick={() => void send()}
      >
        {t('follow.probe')}
      </Button>
      {report === undefined ? null : <ProbeResult name={name} report={report} />}
    </section>
  )
}

function ProbeResult({ name, report }: { readonly name: string; readonly report: ProbeReport }): JSX.Element {
  const failing = report.edges.filter(({ result }) => result !== 'carried')
  return (
    <div role="status">
      <p class={report.holds ? 'note tone-good' : 'note tone-bad'}>
        <Icon name={report.holds ? 'check' : 'alert'} size={16} />{' '}
        {report.holds || failing.length === 0
          ? t('follow.probeHolds', { name })
          : t('follow.probeFails', { n: failing.length, total: report.edges.length, name })}
      </p>
      <ul class="lines">
        {[...failing, ...report.edges.filter(({ result }) => result === 'carried')].map((edge) => (
          <li key={`${edge.from} ${edge.to}`}>
            <Badge
              tone={edge.result === 'carried' ? 'good' : 'bad'}
              icon={edge.result === 'carried' ? 'check' : 'cross'}
            >
              {t(`follow.result.${edge.result}`)}
            </Badge>
            <span>
              {edge.from ?? t('follow.entry')} → {edge.to}
              <small class="muted block">{edge.detail}</small>
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
