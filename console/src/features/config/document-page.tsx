import type { Tenant } from '@tributary/contract'
import type { JSX } from 'preact'
import { diffTenants } from '../../api/config-center.js'
import { place, setQuery } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { Select } from '../../ui/field.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { TabButtons } from '../../ui/tabs.js'
import { ConfigDifferences } from './config-differences.js'
import { DocumentEditor } from './document-editor.js'
import { DocumentHistory } from './document-history.js'
import { GrayReleaseTab } from './gray-release.js'
import { SourcedConfig } from './sourced-config.js'

const TABS = ['edit', 'effective', 'history', 'diff', 'gray'] as const

/** One document of a tenant: the own text, what comes of it, its history, and how others have it. */
export function DocumentPage(props: {
  readonly tenant: Tenant
  readonly tenants: readonly Tenant[]
  readonly service: string
}): JSX.Element {
  const { tenant, tenants, service } = props
  const tab = TABS.find((one) => one === place.value.query.get('tab')) ?? 'edit'
  return (
    <section class="card config-document" aria-label={`${tenant.name} ${service}`}>
      <h2 class="wrap">
        {tenant.name} / {service === '*' ? `* ${t('config.wide')}` : service}
      </h2>
      <p class="muted small wrap">{tenant.chain.join(' → ')}</p>
      <TabButtons
        label={t('config.title')}
        current={tab}
        tabs={TABS.filter((id) => id !== 'gray' || service !== '*').map((id) => ({
          id,
          text: t(`config.tab.${id}`),
        }))}
        onChoose={(id) => setQuery({ tab: id })}
      />
      <div hidden={tab !== 'edit'}>
        <DocumentEditor tenant={tenant} tenants={tenants} service={service} />
      </div>
      {tab === 'effective' ? <Effective tenant={tenant.name} service={service} /> : null}
      {tab === 'history' ? <DocumentHistory tenant={tenant} service={service} /> : null}
      {tab === 'gray' && service !== '*' ? <GrayReleaseTab tenant={tenant} service={service} /> : null}
      {tab === 'diff' ? <Compare tenant={tenant.name} tenants={tenants} service={service} /> : null}
    </section>
  )
}

function Effective({ tenant, service }: { readonly tenant: string; readonly service: string }): JSX.Element {
  return (
    <>
      <h3>{t('config.effective.title', { tenant, service })}</h3>
      <p class="muted small">{t('config.effective.help')}</p>
      <SourcedConfig tenant={tenant} service={service} />
    </>
  )
}

function Compare({
  tenant,
  tenants,
  service,
}: {
  readonly tenant: string
  readonly tenants: readonly Tenant[]
  readonly service: string
}): JSX.Element {
  const others = tenants.map(({ name }) => name).filter((name) => name !== tenant)
  const chain = tenants.find(({ name }) => name === tenant)?.chain ?? []
  const against = place.value.query.get('against') ?? chain[1] ?? others[0] ?? tenant
  const { state } = useLoaded({
    key: `config-difference/${against}/${tenant}`,
    load: (signal) => diffTenants(tenant, against, signal),
    topics: ['config'],
  })
  return (
    <>
      <Select
        label={t('config.diff.against', { tenant })}
        value={against}
        choices={others.map((value) => ({ value, text: value }))}
        onChange={(value) => setQuery({ against: value })}
      />
      <LoadedView loaded={state.value}>
        {(differences) => (
          <ConfigDifferences
            differences={differences
              .filter(({ kind, name }) => kind === 'config' && name === service)
              .map((difference) => ({ ...difference, name: '' }))}
            before={against}
            after={tenant}
          />
        )}
      </LoadedView>
    </>
  )
}
