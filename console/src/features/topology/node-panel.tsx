import type { Topology, TopologyNode } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { explainCall, getEnvironment, serviceLogPath } from '../../api/env-manager.js'
import { linkTo, setQuery } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { Commit } from '../../ui/commit.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { LogView } from '../../ui/log-view.js'
import { SafeLink } from '../../ui/safe-link.js'
import { TabButtons } from '../../ui/tabs.js'
import { SourcedConfig } from '../config/sourced-config.js'
import { HealthBadge } from '../environments/phase.js'
import { edgeId } from './graph-model.js'
import { Facts, SidePanel } from './side-panel.js'

const TABS = ['about', 'config', 'logs'] as const

interface Props {
  readonly topology: Topology
  readonly node: TopologyNode
}

/** Everything about one service as the environment sees it. */
export function NodePanel(
  props: Props & { readonly query: URLSearchParams; readonly onClose: () => void },
): JSX.Element {
  const { node, topology, query } = props
  const tab = TABS.find((one) => one === query.get('panel')) ?? 'about'
  const note = (
    <>
      <span class={`state-word state-${node.state}`}>{t(`topo.state.${node.state}`)}</span>
      {node.owner === null || node.state === 'own' ? null : <span>{t('topo.node.owner', { owner: node.owner })}</span>}
    </>
  )
  return (
    <SidePanel title={node.service} note={note} onClose={props.onClose}>
      <TabButtons
        label={node.service}
        current={tab}
        tabs={TABS.map((id) => ({ id, text: t(`node.tab.${id}`) }))}
        onChoose={(panel) => setQuery({ panel })}
      />
      {tab === 'about' ? <About node={node} topology={topology} /> : null}
      {tab === 'config' ? <Config node={node} topology={topology} /> : null}
      {tab === 'logs' ? <Logs node={node} topology={topology} /> : null}
    </SidePanel>
  )
}

function About({ node, topology }: Props): JSX.Element {
  const calls = topology.edges.filter(({ from }) => from === node.service)
  const callers = topology.edges.filter(({ to }) => to === node.service)
  return (
    <>
      <Why name={topology.environment} service={node.service} />
      <Facts
        facts={[
          [t('node.health'), <HealthBadge key="health" health={node.health} />],
          node.healthMessage === null ? undefined : ['', <span key="message">{node.healthMessage}</span>],
          [t('node.version'), node.version ?? '–'],
          [t('node.commit'), node.commitSha === null ? '–' : <NodeCommit key="commit" node={node} />],
          [t('node.owner'), node.owner ?? '–'],
          [t('node.endpoints'), <Endpoints key="endpoints" node={node} />],
          node.url === null
            ? undefined
            : [
                t('node.url'),
                <SafeLink key="url" href={node.url}>
                  {t('env.open')}
                </SafeLink>,
              ],
        ]}
      />
      <Neighbours title={t('node.calls')} edges={calls.map(({ from, to }) => [to, edgeId(from, to)] as const)} />
      <Neighbours title={t('node.calledBy')} edges={callers.map(({ from, to }) => [from, edgeId(from, to)] as const)} />
    </>
  )
}

/** The commit of a copy, with a link by the repository of the environment that deployed it. */
function NodeCommit({ node: { owner, service, commitSha } }: { readonly node: TopologyNode }): JSX.Element {
  const { state } = useLoaded({
    key: `environment/${owner}`,
    load: (signal) => getEnvironment(owner ?? '', signal),
    everyMs: 60_000,
  })
  const repository = state.value.data?.services.find(({ name }) => name === service)?.repository
  return <Commit sha={commitSha ?? ''} {...(repository === undefined ? {} : { repository })} />
}

function Endpoints({ node: { endpoints } }: { readonly node: TopologyNode }): JSX.Element {
  if (endpoints.length === 0) return <span>{t('node.none')}</span>
  return (
    <>
      {endpoints.map(({ name, protocol, host, port }) => (
        <code key={`${name} ${host} ${port}`} class="block wrap">
          {`${protocol}://${host}:${port}`}
        </code>
      ))}
    </>
  )
}

function Neighbours({
  title,
  edges,
}: {
  readonly title: string
  readonly edges: readonly (readonly [string, string])[]
}): JSX.Element {
  return (
    <section>
      <h3>{title}</h3>
      {edges.length === 0 ? <p class="muted">{t('node.noCalls')}</p> : null}
      <ul class="chips">
        {edges.map(([service, id]) => (
          <li key={id}>
            <button type="button" class="chip chip-button" onClick={() => setQuery({ edge: id, node: undefined })}>
              {service}
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** In one sentence: who answers for the service here, and why not another copy. */
function Why({ name, service }: { readonly name: string; readonly service: string }): JSX.Element {
  const [text, setText] = useState('')
  useEffect(() => {
    let over = false
    explainCall(name, { call: service }).then(
      ({ summary }) => over || setText(summary),
      (error: unknown) => over || setText(error instanceof Error ? error.message : String(error)),
    )
    return () => {
      over = true
    }
  }, [name, service])
  return (
    <p class="note" aria-label={t('node.why')}>
      {text === '' ? t('load.loading') : text}
    </p>
  )
}

function Config({ node, topology }: Props): JSX.Element {
  return (
    <>
      <p class="muted small">{t('node.configHelp')}</p>
      <SourcedConfig tenant={topology.environment} service={node.service} />
      <p>
        <a href={linkTo(['config', topology.environment, node.service])}>{t('node.configOpen')}</a>
      </p>
    </>
  )
}

function Logs({ node, topology }: Props): JSX.Element {
  const { state } = useLoaded({
    key: `environment/${topology.environment}`,
    load: (signal) => getEnvironment(topology.environment, signal),
    topics: ['environment'],
  })
  if (node.owner === null || node.state === 'masked') return <p class="muted">{t('node.logsNone')}</p>
  return (
    <LoadedView loaded={state.value}>
      {() => (
        <>
          {node.owner === topology.environment ? null : (
            <p class="muted small">{t('node.logsElsewhere', { owner: node.owner ?? '' })}</p>
          )}
          <LogView
            key={node.service}
            path={serviceLogPath(node.owner ?? '', node.service)}
            dropped="log.droppedService"
          />
        </>
      )}
    </LoadedView>
  )
}
