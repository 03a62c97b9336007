import type { Replica, ReplicaList } from '@tributary/contract'
import type { JSX } from 'preact'
import { listReplicas } from '../../api/config-center.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, formatNumber, t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Badge, type Tone } from '../../ui/badge.js'
import type { IconName } from '../../ui/icon.js'
import { LoadedView } from '../../ui/loaded-view.js'

const STATES: Readonly<Record<Replica['state'], readonly [Tone, IconName]>> = {
  ready: ['good', 'check'],
  stale: ['warn', 'clock'],
  unreachable: ['bad', 'cross'],
}
const COLUMNS = ['replica', 'address', 'state', 'revision', 'behind', 'subscribers'] as const

/** The replicas of the config center beside their store: who is there, how far behind, with how many subscribers. */
export function CenterReplicas(): JSX.Element {
  const { state } = useLoaded({ key: 'replicas', load: listReplicas, topics: ['config', 'platform'] })
  return (
    <section class="card">
      <h2>{t('platform.center')}</h2>
      <LoadedView loaded={state.value}>{(list) => <Replicas list={list} />}</LoadedView>
    </section>
  )
}

function Replicas({ list: { storeRevision, replicas } }: { readonly list: ReplicaList }): JSX.Element {
  return (
    <>
      <p class="row">
        {storeRevision === null ? (
          <Badge tone="bad" icon="alert">
            {t('platform.store.away')}
          </Badge>
        ) : (
          <span>
            {t('platform.store.revision')} <strong>{storeRevision}</strong>
          </span>
        )}
      </p>
      <div class="table-frame" tabIndex={0} role="region" aria-label={t('platform.center')}>
        <table class="table table-small">
          <thead>
            <tr>
              {COLUMNS.map((column) => (
                <th key={column} scope="col">
                  {t(`platform.replica.${column}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {replicas.map((replica) => (
              <ReplicaLine key={replica.replicaId} replica={replica} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function ReplicaLine({ replica }: { readonly replica: Replica }): JSX.Element {
  const { replicaId, url, answering, state, since, storeRevision, behind, subscribers } = replica
  const [tone, icon] = STATES[state]
  return (
    <tr>
      <th scope="row">
        <code title={replicaId}>{replicaId.slice(0, 8)}</code>
        {answering ? <small class="muted block">{t('platform.replica.answering')}</small> : null}
      </th>
      <td class="wrap">
        {url === null ? <span class="muted">{t('platform.replica.only')}</span> : <code>{url}</code>}
      </td>
      <td>
        <Badge tone={tone} icon={icon}>
          {t(`platform.replica.state.${state}`)}
        </Badge>
        {since === null ? null : (
          <small class="muted block" title={formatInstant(since)}>
            {ago(since)}
          </small>
        )}
      </td>
      <td>{storeRevision ?? '–'}</td>
      <td>
        <Behind behind={behind} />
      </td>
      <td>{subscribers === null ? '–' : formatNumber(subscribers)}</td>
    </tr>
  )
}

function Behind({ behind }: { readonly behind: string | null }): JSX.Element {
  if (behind === null) return <span>–</span>
  if (behind === '0') return <span>{t('platform.sub.uptodate')}</span>
  return (
    <Badge tone="warn" icon="clock">
      {behind}
    </Badge>
  )
}
