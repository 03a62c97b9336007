import type { Tenant, WriteImpact, WriteResult } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiFailure } from '../../api/api-failure.js'
import { putDocument, tryWrite } from '../../api/config-center.js'
import { tellTopic } from '../../data/events.js'
import { t } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { tell } from '../../ui/toast.js'
import { ConfigDifferences } from './config-differences.js'
import { differingValues } from './document-difference.js'
import type { Draft } from './draft.js'
import { ImpactView } from './impact-view.js'

interface Props {
  readonly tenant: Tenant
  readonly tenants: readonly Tenant[]
  readonly service: string
  readonly draft: Draft
  readonly data: Readonly<Record<string, unknown>>
  readonly onClose: () => void
  readonly onConflict: () => void
  readonly onSaved: (revision: string) => void
}

/** Shows what a save would change and who would see it, then saves against the revision that the person began from. */
export function ReviewDialog(props: Props): JSX.Element {
  const { tenant, service, draft, data } = props
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<string>()
  const impact = useImpact(props)
  const breaks = typeof impact === 'object' && impact.refused
  const save = async (): Promise<void> => {
    setProblem(undefined)
    try {
      const write = { tenant: tenant.name, service, expectedRevision: draft.baseRevision, reason, force: breaks }
      const result = await putDocument(write, data)
      tell('good', savedText(result))
      tellTopic('config')
      props.onSaved(result.storeRevision)
    } catch (error) {
      if (error instanceof ApiFailure && error.status === 409) props.onConflict()
      else setProblem(error instanceof Error ? error.message : String(error))
    }
  }
  const actions = (
    <>
      <Button onClick={props.onClose}>{t('action.cancel')}</Button>
      <Button kind={breaks ? 'danger' : 'primary'} onClick={() => void save()}>
        {t(breaks ? 'config.review.saveAnyway' : 'config.review.save')}
      </Button>
    </>
  )
  return (
    <Dialog
      wide
      title={t('config.review.title', { tenant: tenant.name, service })}
      onClose={props.onClose}
      actions={actions}
    >
      <h3>{t('config.review.changes')}</h3>
      <ConfigDifferences
        differences={differingValues(draft.base, data)}
        before={t('config.history.before')}
        after={t('config.history.after')}
      />
      <h3>{t('config.review.impact')}</h3>
      <ImpactView impact={impact} tenant={tenant} tenants={props.tenants} />
      <label class="field">
        <span class="field-label">{t('config.review.reason')}</span>
        <input maxLength={512} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      </label>
      {problem === undefined ? null : (
        <p class="note tone-bad" role="alert">
          {problem}
        </p>
      )}
    </Dialog>
  )
}

/** What the write would do; a message when the server cannot say it; undefined while it tries. */
function useImpact({ tenant, service, data }: Props): WriteImpact | string | undefined {
  const [impact, setImpact] = useState<WriteImpact | string>()
  useEffect(() => {
    const ending = new AbortController()
    const change = { op: 'apply-document' as const, tenant: tenant.name, service, data: { ...data } }
    tryWrite({ changes: [change] }, ending.signal).then(setImpact, (error: unknown) => {
      if (!ending.signal.aborted) setImpact(error instanceof Error ? error.message : String(error))
    })
    return () => ending.abort()
  }, [])
  return impact
}

function savedText({ storeRevision: revision, convergence }: WriteResult): string {
  if (convergence === undefined || convergence.affected === 0) return t('config.saved', { revision })
  const late = convergence.laggards.length
  if (late > 0) return t('config.savedLaggards', { revision, n: late })
  return t('config.savedReached', { revision, n: convergence.affected })
}
