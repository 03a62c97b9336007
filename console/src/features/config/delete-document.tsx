import type { ConfigDocument } from '@tributary/contract'
import type { JSX } from 'preact'
import { removeDocument } from '../../api/config-center.js'
import { tellTopic } from '../../data/events.js'
import { t } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { attempt } from '../../ui/toast.js'

/** Asks, then deletes a tenant's own document as it was shown: a newer one stays. */
export function DeleteDocument(props: {
  readonly document: ConfigDocument
  readonly onClose: () => void
  readonly onDeleted: () => void
}): JSX.Element {
  const { tenant, service, revision } = props.document
  const remove = async (): Promise<void> => {
    const write = { tenant, service, expectedRevision: revision, reason: '', force: false }
    const done = await attempt(t('config.delete'), () => removeDocument(write))
    tellTopic('config')
    if (done) props.onDeleted()
    else props.onClose()
  }
  const actions = (
    <>
      <Button onClick={props.onClose}>{t('action.cancel')}</Button>
      <Button kind="danger" onClick={() => void remove()}>
        {t('config.delete')}
      </Button>
    </>
  )
  return (
    <Dialog title={t('config.deleteConfirm', { tenant, service })} onClose={props.onClose} actions={actions}>
      <p>{t('config.deleteText')}</p>
    </Dialog>
  )
}
