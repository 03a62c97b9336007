import type { ConfigDocument, ResolvedView, Tenant } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { getView, listDocuments } from '../../api/config-center.js'
import { denial } from '../../api/session.js'
import { go, linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { Dialog } from '../../ui/dialog.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { subjectOf } from './subject.js'

/** The documents that a tenant sees, its own told apart from inherited ones. */
export function DocumentList({
  tenant,
  chosen,
}: {
  readonly tenant: Tenant
  readonly chosen: string | undefined
}): JSX.Element {
  const [adding, setAdding] = useState(false)
  const { state } = useLoaded({
    key: `documents/${tenant.name}`,
    load: async (signal) => Promise.all([listDocuments(tenant.name, signal), getView(tenant.name, signal)]),
    topics: ['config'],
  })
  return (
    <nav class="card config-documents" aria-label={t('config.documents')}>
      <h2>{t('config.documents')}</h2>
      <LoadedView loaded={state.value}>
        {([documents, view]) => (
          <ul class="tree">
            {namesOf(documents, view).map((name) => {
              const own = documents.some(({ service }) => service === name)
              return (
                <li key={name}>
                  <a
                    class="tree-link"
                    href={linkTo(['config', tenant.name, name])}
                    aria-current={name === chosen ? 'page' : undefined}
                  >
                    <span class="cut">{name === '*' ? `* ${t('config.wide')}` : name}</span>
                    <small class={own ? 'chip chip-own' : 'chip'}>
                      {t(own ? 'topo.state.own' : 'config.inheritedDocument')}
                    </small>
                  </a>
                </li>
              )
            })}
          </ul>
        )}
      </LoadedView>
      <Button icon="plus" unavailable={denial('change-config', subjectOf(tenant))} onClick={() => setAdding(true)}>
        {t('config.new')}
      </Button>
      {adding ? <NewDocument tenant={tenant.name} onClose={() => setAdding(false)} /> : null}
    </nav>
  )
}

/** The tenant-wide document first, then everything that has a document or runs. */
function namesOf(documents: readonly ConfigDocument[], { config, services }: ResolvedView): readonly string[] {
  const names = new Set([...documents.map(({ service }) => service), ...Object.keys(config), ...Object.keys(services)])
  return ['*', ...[...names].filter((name) => name !== '*').sort()]
}

function NewDocument({ tenant, onClose }: { readonly tenant: string; readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState('')
  const valid = /^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/.test(name)
  const open = (): void => {
    onClose()
    go(linkTo(['config', tenant, name]))
  }
  const actions = (
    <>
      <Button onClick={onClose}>{t('action.cancel')}</Button>
      <Button kind="primary" unavailable={valid ? undefined : t('config.newName')} onClick={open}>
        {t('config.new')}
      </Button>
    </>
  )
  return (
    <Dialog title={t('config.new')} onClose={onClose} actions={actions}>
      <label class="field">
        <span class="field-label">{t('config.newName')}</span>
        <input
          value={name}
          maxLength={63}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
    </Dialog>
  )
}
