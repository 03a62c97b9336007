import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { listSubscriptions } from '../../api/config-center.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Badge } from '../../ui/badge.js'
import { Check } from '../../ui/field.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { byLag, isLate, type Lagging } from './lag.js'

const MOST = 500

/** Who follows the config center, what each has applied, and who is behind. */
export function Subscribers(): JSX.Element {
  const [onlyLate, setOnlyLate] = useState(false)
  const { state } = useLoaded({ key: 'subscriptions', load: listSubscriptions, topics: ['config', 'platform'] })
  return (
    <section class="card">
      <h2>{t('platform.subscribers')}</h2>
      <LoadedView loaded={state.value}>
        {(subscriptions) => {
          const all = byLag(subscriptions)
          const late = all.filter(isLate)
          const shown = onlyLate ? late : all
          if (all.length === 0) return <p class="muted">{t('platform.subscribers.none')}</p>
          return (
            <>
              <div class="row">
                <span class="muted" role="status">
                  {t('platform.subscribers.count', { n: all.length, lag: late.length })}
                </span>
                <Check label={t('platform.subscribers.onlyLag')} checked={onlyLate} onChange={setOnlyLate} />
              </div>
              <Table shown={shown.slice(0, MOST)} />
              {shown.length > MOST ? <p class="muted">{t('env.more', { n: shown.length - MOST })}</p> : null}
            </>
          )
        }}
      </LoadedView>
    </section>
  )
}

function Table({ shown }: { readonly shown: readonly Lagging[] }): JSX.Element {
  return (
    <div class="table-frame table-bounded" tabIndex={0} role="region" aria-label={t('platform.subscribers')}>
      <table class="table table-small">
        <thead>
          <tr>
            {(['tenant', 'service', 'instance', 'applied', 'lag', 'since'] as const).map((column) => (
              <th key={column} scope="col">
                {t(`platform.sub.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map(({ subscription, behind }) => (
            <tr key={subscription.subscriptionId}>
              <td>{subscription.tenant}</td>
              <td>{subscription.service ?? '*'}</td>
              <td class="wrap">
                <code>{subscription.instance}</code>
              </td>
              <td>{subscription.appliedRevision}</td>
              <td>
                {subscription.error !== null ? (
                  <Badge tone="bad" icon="cross" title={subscription.error}>
                    {subscription.error}
                  </Badge>
                ) : behind > 0n ? (
                  <Badge tone="warn" icon="clock">
                    {String(behind)}
                  </Badge>
                ) : (
                  t('platform.sub.uptodate')
                )}
              </td>
              <td class="one-line" title={formatInstant(subscription.connectedAt)}>
                {ago(subscription.connectedAt)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
