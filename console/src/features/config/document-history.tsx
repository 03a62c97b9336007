import type { HistoryRecord, RecordedChange, Tenant } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { listHistory, rollBackDocument } from '../../api/config-center.js'
import { denial } from '../../api/session.js'
import { tellTopic } from '../../data/events.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { attempt } from '../../ui/toast.js'
import { ConfigDifferences } from './config-differences.js'
import { differingValues } from './document-difference.js'
import { isObject } from './leaves.js'
import { subjectOf } from './subject.js'
import { writerOf } from './writer.js'

const PAGE = 30

/** Every write of the document, newest first, with what it changed and a way back. */
export function DocumentHistory({
  tenant,
  service,
}: {
  readonly tenant: Tenant
  readonly service: string
}): JSX.Element {
  const [older, setOlder] = useState<readonly HistoryRecord[]>([])
  const [asked, setAsked] = useState<string>()
  const { state } = useLoaded({
    key: `history/${tenant.name}/${service}`,
    load: (signal) => listHistory(tenant.name, { service, limit: PAGE }, signal),
    topics: ['config'],
  })
  return (
    <LoadedView loaded={state.value}>
      {(newest) => {
        const records = [...newest, ...older.filter(({ storeRevision }) => !has(newest, storeRevision))]
        const shown = records.filter((record) => changesOf(record, service).length > 0)
        const last = records.at(-1)
        const more = async (): Promise<void> => {
          if (last === undefined) return
          const next = await listHistory(tenant.name, { service, limit: PAGE, before: last.storeRevision })
          setOlder([...older, ...next])
        }
        return (
          <>
            {shown.length === 0 ? <p class="muted">{t('config.history.none')}</p> : null}
            <ol class="history">
              {shown.map((record) => (
                <Record key={record.storeRevision} {...{ record, tenant, service }} onRollBack={setAsked} />
              ))}
            </ol>
            {records.length >= PAGE ? (
              <Button onClick={() => void attempt(t('config.history.more'), more)}>{t('config.history.more')}</Button>
            ) : null}
            {asked === undefined ? null : (
              <RollBack tenant={tenant.name} service={service} revision={asked} onClose={() => setAsked(undefined)} />
            )}
          </>
        )
      }}
    </LoadedView>
  )
}

function has(records: readonly HistoryRecord[], revision: string): boolean {
  return records.some(({ storeRevision }) => storeRevision === revision)
}

function changesOf({ changes }: HistoryRecord, service: string): readonly RecordedChange[] {
  return changes.filter(({ kind, name }) => kind === 'document' && name === service)
}

function Record(props: {
  readonly record: HistoryRecord
  readonly tenant: Tenant
  readonly service: string
  readonly onRollBack: (revision: string) => void
}): JSX.Element {
  const { record, tenant, service } = props
  const { storeRevision, at, reason, runId } = record
  const differences = changesOf(record, service).flatMap(({ before, after }) =>
    differingValues(dataOf(before), dataOf(after)),
  )
  return (
    <li class="history-record">
      <div class="history-head">
        <span>
          <strong>{t('config.edit.revision', { revision: storeRevision })}</strong>{' '}
          <span class="muted" title={formatInstant(at)}>
            {t('config.history.by', { actor: writerOf(record), ago: ago(at) })}
          </span>{' '}
          {runId === undefined ? null : (
            <a href={linkTo(['runs', runId])}>{t('config.history.run', { run: runId.slice(0, 8) })}</a>
          )}
        </span>
        <Button
          icon="back"
          unavailable={denial('change-config', subjectOf(tenant))}
          onClick={() => props.onRollBack(String(BigInt(storeRevision) - 1n))}
        >
          {t('config.history.rollback')}
        </Button>
      </div>
      {reason === undefined ? null : <p class="wrap">{reason}</p>}
      <ConfigDifferences
        differences={differences}
        before={t('config.history.before')}
        after={t('config.history.after')}
      />
    </li>
  )
}

/** History keeps the stored record; its `data` is the document. */
function dataOf(recorded: unknown): unknown {
  return isObject(recorded) && 'data' in recorded ? recorded['data'] : recorded
}

function RollBack(props: {
  readonly tenant: string
  readonly service: string
  readonly revision: string
  readonly onClose: () => void
}): JSX.Element {
  const { tenant, service, revision, onClose } = props
  const back = async (): Promise<void> => {
    onClose()
    const request = { toRevision: revision, service, reason: `Back to revision ${revision}` }
    await attempt(t('config.history.rollback'), () => rollBackDocument(tenant, request))
    tellTopic('config')
  }
  const actions = (
    <>
      <Button onClick={onClose}>{t('action.cancel')}</Button>
      <Button kind="primary" onClick={() => void back()}>
        {t('config.history.rollback')}
      </Button>
    </>
  )
  return (
    <Dialog title={t('config.history.confirm', { tenant, service, revision })} onClose={onClose} actions={actions}>
      <p>{t('config.history.confirmText')}</p>
    </Dialog>
  )
}
