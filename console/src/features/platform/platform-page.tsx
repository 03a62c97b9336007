import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'
import { AuditLog } from './audit-log.js'
import { CenterReplicas } from './center-replicas.js'
import { ManagerCards } from './manager-cards.js'
import { Subscribers } from './subscribers.js'

/** How the platform itself is doing, for those who run it. */
export function PlatformPage(): JSX.Element {
  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('platform.title')}</h1>
      </header>
      <ManagerCards />
      <CenterReplicas />
      <Subscribers />
      <AuditLog />
    </div>
  )
}
