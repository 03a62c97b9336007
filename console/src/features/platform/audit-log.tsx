import type { AuditRecord } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { listAudit } from '../../api/env-manager.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t, tWord } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Badge, type Tone } from '../../ui/badge.js'
import { Button } from '../../ui/button.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { attempt } from '../../ui/toast.js'

const PAGE = 50
const TONES: Readonly<Record<AuditRecord['outcome'], Tone>> = { accepted: 'good', refused: 'warn', failed: 'bad' }

/** Who asked for what, newest first, refusals included. */
export function AuditLog(): JSX.Element {
  const [older, setOlder] = useState<readonly AuditRecord[]>([])
  const { state } = useLoaded({
    key: 'audit',
    load: (signal) => listAudit({ limit: PAGE }, signal),
    topics: ['environment', 'run', 'platform'],
  })
  return (
    <section class="card">
      <h2>{t('platform.audit')}</h2>
      <LoadedView loaded={state.value}>
        {(newest) => {
          const known = new Set(newest.map(({ auditId }) => auditId))
          const records = [...newest, ...older.filter(({ auditId }) => !known.has(auditId))]
          const last = records.at(-1)
          const more = async (): Promise<void> => {
            setOlder([...older, ...(await listAudit({ limit: PAGE, before: last?.auditId }))])
          }
          if (records.length === 0) return <p class="muted">{t('platform.audit.none')}</p>
          return (
            <>
              <Table records={records} />
              {newest.length < PAGE ? null : (
                <Button onClick={() => void attempt(t('platform.audit.more'), more)}>{t('platform.audit.more')}</Button>
              )}
            </>
          )
        }}
      </LoadedView>
    </section>
  )
}

/** Which person or token it was: anybody can have the same name. */
function SubjectOf({ subject }: { readonly subject: string }): JSX.Element {
  return (
    <code class="muted small block" title={t('platform.audit.subjectId')}>
      {subject}
    </code>
  )
}

function Table({ records }: { readonly records: readonly AuditRecord[] }): JSX.Element {
  return (
    <div class="table-frame table-bounded" tabIndex={0} role="region" aria-label={t('platform.audit')}>
      <table class="table table-small">
        <thead>
          <tr>
            {(['at', 'actor', 'action', 'subject', 'outcome', 'address'] as const).map((column) => (
              <th key={column} scope="col">
                {t(`platform.audit.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {records.map(({ auditId, at, actor, action, environment, detail, outcome, status, address }) => (
            <tr key={auditId}>
              <td class="one-line" title={formatInstant(at)}>
                {ago(at)}
              </td>
              <td class="wrap">
                {actor.name} <small class="muted">{tWord(`role.${actor.role}`, actor.role)}</small>
                {actor.subject === undefined ? null : <SubjectOf subject={actor.subject} />}
              </td>
              <td>
                <code>{action}</code>
              </td>
              <td class="wrap">
                {environment === null ? null : <a href={linkTo(['environments', environment])}>{environment}</a>}{' '}
                {detail ?? ''}
              </td>
              <td>
                <Badge tone={TONES[outcome]}>
                  {t(`platform.outcome.${outcome}`)} {status}
                </Badge>
              </td>
              <td>{address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
