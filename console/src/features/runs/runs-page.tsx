import type { JSX } from 'preact'
import { listEnvironments } from '../../api/env-manager.js'
import { place, setQuery } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t } from '../../i18n/i18n.js'
import { Select } from '../../ui/field.js'
import { RunTable } from './run-table.js'

/** Runs of all environments. */
export function RunsPage(): JSX.Element {
  const environment = place.value.query.get('environment') ?? ''
  const { state } = useLoaded({ key: 'environments', load: listEnvironments, topics: ['environment'] })
  const names = (state.value.data ?? []).map(({ name }) => name).sort()
  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('runs.title')}</h1>
      </header>
      <div class="toolbar">
        <Select
          label={t('runs.filter')}
          value={environment}
          choices={[{ value: '', text: t('env.filter.any') }, ...names.map((value) => ({ value, text: value }))]}
          onChange={(value) => setQuery({ environment: value })}
        />
      </div>
      {environment === '' ? <RunTable /> : <RunTable key={environment} environment={environment} />}
    </div>
  )
}
