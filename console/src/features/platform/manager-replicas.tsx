import type { ManagerReplica } from '@tributary/contract'
import type { JSX } from 'preact'
import { formatInstant, t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Badge } from '../../ui/badge.js'

/** The processes of the env-manager: which one leads, and which stand by. */
export function ManagerReplicas({ replicas }: { readonly replicas: readonly ManagerReplica[] }): JSX.Element {
  return (
    <ul class="lines" aria-label={t('platform.managers')}>
      {replicas.map(({ replicaId, role, url, startedAt }) => (
        <li key={replicaId}>
          <Badge tone={role === 'leader' ? 'good' : 'quiet'} icon={role === 'leader' ? 'check' : 'clock'}>
            {t(`platform.manager.${role}`)}
          </Badge>
          {url === null ? <span class="muted">{t('platform.replica.only')}</span> : <code class="wrap">{url}</code>}
          {startedAt === null ? null : (
            <span class="muted small" title={formatInstant(startedAt)}>
              {t('platform.manager.since', { ago: ago(startedAt) })}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}
