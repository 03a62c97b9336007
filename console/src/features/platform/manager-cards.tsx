import type { ManagerStatus } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { approveRemovals, getStatus } from '../../api/env-manager.js'
import { denial } from '../../api/session.js'
import { tellTopic } from '../../data/events.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t, tn } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Badge } from '../../ui/badge.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { attempt } from '../../ui/toast.js'
import { Facts } from '../topology/side-panel.js'
import { ManagerReplicas } from './manager-replicas.js'

/** The env-manager: itself, its queue, its breaker, its repositories and what it found without an owner. */
export function ManagerCards(): JSX.Element {
  const { state } = useLoaded({ key: 'status', load: getStatus, topics: ['platform', 'environment', 'run'] })
  return (
    <LoadedView loaded={state.value}>
      {(status) => (
        <>
          <Breaker status={status} />
          <div class="cards">
            <Manager status={status} />
            <Queue status={status} />
            <Repositories status={status} />
            <Orphans status={status} />
          </div>
        </>
      )}
    </LoadedView>
  )
}

interface Props {
  readonly status: ManagerStatus
}

function Manager({ status }: Props): JSX.Element {
  const ready = status.configCenter === 'READY'
  return (
    <section class="card">
      <h2>{t('platform.manager')}</h2>
      <Facts
        facts={[
          [t('platform.managers'), <ManagerReplicas key="replicas" replicas={status.replicas} />],
          [t('platform.instance'), status.instance],
          [t('platform.kind'), status.platform],
          [t('platform.environments'), status.environments],
          [
            t('platform.center'),
            <Badge key="center" tone={ready ? 'good' : 'bad'} icon={ready ? 'check' : 'alert'}>
              {t(`platform.state.${status.configCenter}`)}
            </Badge>,
          ],
          [
            t('platform.capabilities'),
            <span key="capabilities" class="chips">
              {status.capabilities.map((capability) => (
                <span key={capability} class="chip">
                  {capability}
                </span>
              ))}
            </span>,
          ],
        ]}
      />
    </section>
  )
}

function Queue({ status: { running, queued } }: Props): JSX.Element {
  return (
    <section class="card">
      <h2>{t('platform.queue')}</h2>
      <h3>{t('platform.running')}</h3>
      <Names names={running} none={t('platform.running.none')} />
      <h3>{t('platform.queued')}</h3>
      <Names names={queued} none={t('platform.queue.none')} />
    </section>
  )
}

function Names({ names, none }: { readonly names: readonly string[]; readonly none: string }): JSX.Element {
  if (names.length === 0) return <p class="muted">{none}</p>
  return (
    <ol class="chips">
      {names.map((name) => (
        <li key={name}>
          <a class="chip" href={linkTo(['environments', name])}>
            {name}
          </a>
        </li>
      ))}
    </ol>
  )
}

function Breaker({ status: { frozen } }: Props): JSX.Element {
  const [asking, setAsking] = useState(false)
  if (frozen === null) {
    return (
      <p class="note row">
        <Badge tone="good" icon="check">
          {t('platform.breaker.title')}
        </Badge>
        <span>{t('platform.breaker.ok')}</span>
      </p>
    )
  }
  return (
    <section class="card card-bad" aria-label={t('platform.breaker.title')}>
      <h2>{t('platform.breaker')}</h2>
      <p class="wrap">{frozen.reason}</p>
      <p class="muted small">{formatInstant(frozen.since)}</p>
      <p>{t('platform.breaker.would')}</p>
      <Names names={frozen.wouldDelete} none="" />
      <div class="row">
        <Button kind="danger" unavailable={denial('approve-removals', 'shared')} onClick={() => setAsking(true)}>
          {t('platform.breaker.approve')}
        </Button>
      </div>
      {asking ? <Approve frozen={frozen} onClose={() => setAsking(false)} /> : null}
    </section>
  )
}

function Approve({
  frozen: { wouldDelete, approvalId },
  onClose,
}: {
  readonly frozen: NonNullable<ManagerStatus['frozen']>
  readonly onClose: () => void
}): JSX.Element {
  const approve = async (): Promise<void> => {
    onClose()
    await attempt(t('platform.breaker.approve').replace(/ ?…$/, ''), () => approveRemovals(approvalId))
    tellTopic('platform')
  }
  const actions = (
    <>
      <Button onClick={onClose}>{t('action.cancel')}</Button>
      <Button kind="danger" onClick={() => void approve()}>
        {t('platform.breaker.approve').replace(/ ?…$/, '')}
      </Button>
    </>
  )
  return (
    <Dialog title={t('platform.breaker.confirm', { n: wouldDelete.length })} onClose={onClose} actions={actions}>
      <Names names={wouldDelete} none="" />
    </Dialog>
  )
}

function Repositories({ status: { repositories } }: Props): JSX.Element {
  return (
    <section class="card">
      <h2>{t('platform.repositories')}</h2>
      <ul class="lines">
        {repositories.map(({ name, url, branches, lastListedAt, error }) => (
          <li key={name}>
            <Badge tone={error === null ? 'good' : 'bad'} icon={error === null ? 'check' : 'cross'}>
              {name}
            </Badge>
            <span class="wrap small">
              {tn('platform.repository.branches', branches)},{' '}
              {lastListedAt === null
                ? t('platform.repository.never')
                : t('platform.repository.listed', { ago: ago(lastListedAt) })}
              <code class="block muted">{url}</code>
              {error === null ? null : <span class="block run-error">{error}</span>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Orphans({ status: { orphans } }: Props): JSX.Element {
  return (
    <section class="card">
      <h2>{t('platform.orphans')}</h2>
      {orphans.length === 0 ? <p class="muted">{t('platform.orphans.none')}</p> : null}
      <ul class="lines lines-dense" tabIndex={0}>
        {orphans.map(({ kind, id, environment }) => (
          <li key={`${kind} ${id}`}>
            <span class="chip">{kind}</span>
            <code class="wrap">{id}</code>
            <span class="muted small">{environment ?? ''}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
