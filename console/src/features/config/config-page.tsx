import type { Tenant } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { listTenants } from '../../api/config-center.js'
import { go, linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t, tWord } from '../../i18n/i18n.js'
import { SearchBox, Select } from '../../ui/field.js'
import { Empty, LoadedView } from '../../ui/loaded-view.js'
import { narrow } from '../../data/narrow.js'
import { DocumentList } from './document-list.js'
import { DocumentPage } from './document-page.js'
import { treeOf, type TreeLine } from './tenant-tree.js'

interface Props {
  readonly tenant: string | undefined
  readonly service: string | undefined
}

/** Config: the tree of tenants, a tenant's documents, and one document with all that can be done with it. */
export function ConfigPage({ tenant, service }: Props): JSX.Element {
  const { state } = useLoaded({ key: 'tenants', load: listTenants, topics: ['config'] })
  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('config.title')}</h1>
      </header>
      <LoadedView loaded={state.value}>
        {(tenants) => <Columns tenants={tenants} tenant={tenant} service={service} />}
      </LoadedView>
    </div>
  )
}

function Columns({ tenants, tenant, service }: Props & { readonly tenants: readonly Tenant[] }): JSX.Element {
  const chosen = tenants.find(({ name }) => name === tenant)
  return (
    <div class="config">
      <TenantTree tenants={tenants} chosen={tenant} />
      {chosen === undefined ? null : <DocumentList tenant={chosen} chosen={service} />}
      {chosen === undefined || service === undefined ? (
        <Empty title={tenant !== undefined && chosen === undefined ? t('load.absent') : t('config.pick')} />
      ) : (
        <DocumentPage key={`${chosen.name} ${service}`} tenant={chosen} tenants={tenants} service={service} />
      )}
    </div>
  )
}

function TenantTree({
  tenants,
  chosen,
}: {
  readonly tenants: readonly Tenant[]
  readonly chosen: string | undefined
}): JSX.Element {
  const [text, setText] = useState('')
  const lines = treeOf(tenants, text.toLowerCase())
  if (narrow.value) {
    return (
      <Select
        label={t('config.tenants')}
        value={chosen ?? ''}
        choices={[
          { value: '', text: '…' },
          ...treeOf(tenants, '').map(({ tenant, depth }) => ({
            value: tenant.name,
            text: `${'\u2003'.repeat(depth)}${tenant.name}`,
          })),
        ]}
        onChange={(name) => go(linkTo(['config', name]))}
      />
    )
  }
  return (
    <nav class="card config-tree" aria-label={t('config.tenants')}>
      <h2>{t('config.tenants')}</h2>
      <SearchBox label={t('config.findTenant')} value={text} onInput={setText} />
      <ul class="tree">
        {lines.map((line) => (
          <TreeItem key={line.tenant.name} line={line} chosen={line.tenant.name === chosen} />
        ))}
      </ul>
    </nav>
  )
}

function TreeItem({
  line: { tenant, depth },
  chosen,
}: {
  readonly line: TreeLine
  readonly chosen: boolean
}): JSX.Element {
  return (
    <li style={{ paddingLeft: `${depth * 16}px` }}>
      <a
        class="tree-link"
        href={linkTo(['config', tenant.name])}
        aria-current={chosen ? 'page' : undefined}
        title={tWord(`stage.${tenant.stage}`, tenant.stage)}
      >
        {depth === 0 ? null : <span aria-hidden="true">└</span>}
        <span class="cut">{tenant.name}</span>
      </a>
    </li>
  )
}
