import type { Environment } from '@tributary/contract'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { listEnvironments } from '../../api/env-manager.js'
import { narrow } from '../../data/narrow.js'
import { place, setQuery } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { t, tn, tWord } from '../../i18n/i18n.js'
import { Button } from '../../ui/button.js'
import { SearchBox, Select, type Choice } from '../../ui/field.js'
import { Empty, LoadedView } from '../../ui/loaded-view.js'
import { VirtualRows } from '../../ui/virtual-rows.js'
import { filterEnvironments, ownerKey, type EnvironmentFilter, type EnvironmentSort } from './environment-filter.js'
import { EnvironmentRow } from './environment-row.js'

const ROW_HEIGHT = 68
const CARD_HEIGHT = 148
const COLUMNS = ['state', 'name', 'services', 'source', 'push', 'ttl', 'actions'] as const
const CLEARED = { q: undefined, state: undefined, stage: undefined, repository: undefined, owner: undefined } as const
const SORTS: readonly EnvironmentSort[] = ['push', 'name', 'state', 'expiry']

/** All environments, with search, filters and actions. */
export function EnvironmentsPage(): JSX.Element {
  const { state } = useLoaded({ key: 'environments', load: listEnvironments, topics: ['environment'] })
  const filter = filterOf(place.value.query)
  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('env.title')}</h1>
      </header>
      <LoadedView loaded={state.value}>{(all) => <Listed all={all} filter={filter} />}</LoadedView>
    </div>
  )
}

function Listed({
  all,
  filter,
}: {
  readonly all: readonly Environment[]
  readonly filter: EnvironmentFilter
}): JSX.Element {
  const { text, stage, state, repository, owner, sort } = filter
  const shown = useMemo(() => filterEnvironments(all, filter), [all, text, stage, state, repository, owner, sort])
  if (all.length === 0) return <Empty title={t('env.empty')}>{t('env.emptyText')}</Empty>
  return (
    <>
      <Filters all={all} filter={filter} shown={shown.length} />
      {shown.length === 0 ? <Empty title={t('env.noMatch')} /> : <Table shown={shown} />}
    </>
  )
}

function Table({ shown }: { readonly shown: readonly Environment[] }): JSX.Element {
  return (
    <div class="env-table" role="table" aria-label={t('env.title')} aria-rowcount={shown.length + 1}>
      <div role="rowgroup" class="env-head">
        <div role="row" class="env-row" aria-rowindex={1}>
          {COLUMNS.map((column) => (
            <span key={column} role="columnheader" class={`env-cell env-${column}`}>
              {column === 'actions' ? <span class="unseen">{t('env.column.actions')}</span> : t(`env.column.${column}`)}
            </span>
          ))}
        </div>
      </div>
      <VirtualRows
        items={shown}
        rowHeight={narrow.value ? CARD_HEIGHT : ROW_HEIGHT}
        keyOf={({ name }) => name}
        render={(environment) => <EnvironmentRow environment={environment} />}
      />
    </div>
  )
}

function Filters({
  all,
  filter,
  shown,
}: {
  readonly all: readonly Environment[]
  readonly filter: EnvironmentFilter
  readonly shown: number
}): JSX.Element {
  const { text, stage, state, repository, owner, sort } = filter
  const filtered = [text, stage, state, repository, owner].some((member) => member !== '')
  const choices = useMemo(() => choicesOf(all), [all])
  return (
    <div class="toolbar" role="search">
      <SearchBox label={t('env.search')} value={text} onInput={(q) => setQuery({ q })} />
      <Select
        label={t('env.filter.state')}
        value={state}
        choices={withAny(choices.states.map((value) => ({ value, text: tWord(`phase.${value}`, value) })))}
        onChange={(value) => setQuery({ state: value })}
      />
      <Select
        label={t('env.filter.stage')}
        value={stage}
        choices={withAny(choices.stages.map((value) => ({ value, text: tWord(`stage.${value}`, value) })))}
        onChange={(value) => setQuery({ stage: value })}
      />
      <Select
        label={t('env.filter.repository')}
        value={repository}
        choices={withAny(choices.repositories.map((value) => ({ value, text: value })))}
        onChange={(value) => setQuery({ repository: value })}
      />
      <Select
        label={t('env.filter.owner')}
        value={owner.toLowerCase()}
        choices={withAny(withChosen(choices.owners, owner))}
        onChange={(value) => setQuery({ owner: value })}
      />
      <Select
        label={t('env.sort')}
        value={sort}
        choices={SORTS.map((value) => ({ value, text: t(`env.sort.${value}`) }))}
        onChange={(value) => setQuery({ sort: value })}
      />
      <p class="count" role="status">
        {filtered ? t('env.countOf', { n: shown, total: all.length }) : tn('env.count', all.length)}
      </p>
      {filtered ? (
        <Button kind="bare" icon="cross" onClick={() => setQuery(CLEARED)}>
          {t('env.filter.clear')}
        </Button>
      ) : null}
    </div>
  )
}

function filterOf(query: URLSearchParams): EnvironmentFilter {
  const sort = query.get('sort')
  return {
    text: query.get('q') ?? '',
    stage: query.get('stage') ?? '',
    state: query.get('state') ?? '',
    repository: query.get('repository') ?? '',
    owner: query.get('owner') ?? '',
    sort: SORTS.find((one) => one === sort) ?? 'push',
  }
}

interface Choices extends Readonly<Record<'states' | 'stages' | 'repositories', readonly string[]>> {
  readonly owners: readonly Choice[]
}

function choicesOf(all: readonly Environment[]): Choices {
  const sorted = (values: Iterable<string>): string[] => [...new Set(values)].sort()
  return {
    states: sorted(all.map(({ phase }) => phase)),
    stages: sorted(all.map(({ stage }) => stage)),
    repositories: sorted(all.flatMap(({ repositories }) => repositories.map(({ repository }) => repository))),
    owners: ownersOf(all),
  }
}

/** Owners by name; those of the same name also by their address. */
function ownersOf(all: readonly Environment[]): readonly Choice[] {
  const owners = new Map(all.flatMap(({ owner }) => (owner === null ? [] : [[ownerKey(owner), owner] as const])))
  const count = (name: string): number => [...owners.values()].filter((owner) => owner.name === name).length
  return [...owners]
    .map(([value, { name, email }]) => ({
      value,
      text: email === null || email === name || count(name) === 1 ? name : `${name} <${email}>`,
    }))
    .sort((left, right) => left.text.localeCompare(right.text))
}

/** A link may ask for somebody who owns nothing now: the choice still says whom. */
function withChosen(choices: readonly Choice[], chosen: string): readonly Choice[] {
  const value = chosen.toLowerCase()
  if (value === '' || choices.some((choice) => choice.value === value)) return choices
  return [...choices, { value, text: chosen }]
}

function withAny(choices: readonly Choice[]): readonly Choice[] {
  return [{ value: '', text: t('env.filter.any') }, ...choices]
}
