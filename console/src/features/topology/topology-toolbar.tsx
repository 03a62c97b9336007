import type { Topology } from '@tributary/contract'
import type { JSX } from 'preact'
import { setQuery } from '../../data/router.js'
import { t } from '../../i18n/i18n.js'
import { Check, SearchBox } from '../../ui/field.js'
import { TabButtons } from '../../ui/tabs.js'
import { GROUP_FROM } from './graph-model.js'

/** What the drawing tells: the present, a difference, or the way of a request. */
export type Mode = 'live' | 'diff' | 'follow'

const MODES: readonly Mode[] = ['live', 'diff', 'follow']

/** The mode that an address asks for. */
export function modeOf(query: URLSearchParams): Mode {
  return MODES.find((mode) => mode === query.get('mode')) ?? 'live'
}

/** Mode, search, and what is shown of a large topology. */
export function TopologyToolbar(props: {
  readonly topology: Topology
  readonly query: URLSearchParams
  readonly found: readonly string[]
}): JSX.Element {
  const { topology, query, found } = props
  const text = query.get('find') ?? ''
  const grouped = query.get('group') ?? (topology.nodes.length >= GROUP_FROM ? 'yes' : 'no')
  const enter = (): void => {
    if (found[0] !== undefined) setQuery({ node: found[0], find: undefined })
  }
  return (
    <div class="toolbar topology-toolbar">
      <TabButtons
        label={t('topo.mode')}
        current={modeOf(query)}
        tabs={MODES.map((id) => ({ id, text: t(`topo.mode.${id}`) }))}
        onChoose={(mode) => setQuery({ mode, node: undefined, edge: undefined })}
      />
      <SearchBox label={t('topo.search')} value={text} onInput={(find) => setQuery({ find })} onEnter={enter} />
      {text !== '' && found.length === 0 ? (
        <span class="muted small" role="status">
          {t('topo.noFind')}
        </span>
      ) : null}
      <Check label={t('topo.list')} checked={query.get('list') === 'yes'} onChange={(on) => toggle('list', on)} />
      {query.get('list') === 'yes' ? null : (
        <Check
          label={t('topo.labels')}
          checked={query.get('labels') !== 'no'}
          onChange={(on) => setQuery({ labels: on ? undefined : 'no' })}
        />
      )}
      {query.get('node') === null && text === '' ? null : (
        <Check label={t('topo.focus')} checked={query.get('focus') === 'yes'} onChange={(on) => toggle('focus', on)} />
      )}
      {topology.nodes.length < GROUP_FROM / 4 ? null : (
        <Check
          label={t('topo.group')}
          checked={grouped === 'yes'}
          onChange={(on) => setQuery({ group: on ? 'yes' : 'no' })}
        />
      )}
    </div>
  )
}

function toggle(name: string, on: boolean): void {
  setQuery({ [name]: on ? 'yes' : undefined })
}
