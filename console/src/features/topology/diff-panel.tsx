import type { Topology, TopologyDifference, TopologyNode } from '@tributary/contract'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { diffTenants } from '../../api/config-center.js'
import { diffTopology, listEnvironments } from '../../api/env-manager.js'
import { setQuery } from '../../data/router.js'
import { useLoaded, type Loaded } from '../../data/use-loaded.js'
import { t, tn } from '../../i18n/i18n.js'
import { Select } from '../../ui/field.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { ConfigDifferences } from '../config/config-differences.js'
import { differingFields, isRealDifference, kindOfDifference, withOther, type DifferenceKind } from './difference.js'
import { SidePanel } from './side-panel.js'

/** What differs between the environment and another one. */
export interface Difference {
  readonly active: boolean
  readonly against: string
  /** The environment's topology, with what only the other one has. */
  readonly topology: Topology
  readonly kindOf: (service: string) => DifferenceKind | undefined
  readonly loaded: Loaded<TopologyDifference | undefined>
}

/** Compares with what the address names, else with the next tenant of the chain; without a query nothing is compared. */
export function useDifference(topology: Topology, query: URLSearchParams | undefined): Difference {
  const against = query?.get('against') ?? topology.chain[1] ?? 'integration'
  const active = query !== undefined && against !== topology.environment
  const { state } = useLoaded({
    key: `difference/${topology.environment}/${active ? against : ''}`,
    load: async (signal) => (active ? realDifference(topology.environment, against, signal) : undefined),
    topics: ['environment', 'config'],
  })
  const found = state.value.data
  const kinds = useMemo(
    () => new Map((found?.services ?? []).map((one) => [one.service, kindOfDifference(one)])),
    [found],
  )
  const shown = useMemo(() => (found === undefined ? topology : withOther(topology, found)), [topology, found])
  return {
    active: active && found !== undefined,
    against,
    topology: active ? shown : topology,
    kindOf: (service) => (active && found !== undefined ? (kinds.get(service) ?? 'same') : undefined),
    loaded: state.value,
  }
}

async function realDifference(name: string, against: string, signal: AbortSignal): Promise<TopologyDifference> {
  const found = await diffTopology(name, against, signal)
  return { ...found, services: found.services.filter(isRealDifference) }
}

/** Says what differs, service by service and value by value. */
export function DiffPanel({
  topology,
  difference,
}: {
  readonly topology: Topology
  readonly difference: Difference
}): JSX.Element {
  const { environment, chain } = topology
  const { state } = useLoaded({ key: 'environments', load: listEnvironments, topics: ['environment'] })
  const others = (state.value.data ?? []).map(({ name }) => name).filter((name) => name !== environment)
  const names = [...new Set([...chain.slice(1), ...others])]
  return (
    <SidePanel title={t('topo.mode.diff')}>
      <Select
        label={`${environment} ${t('topo.against')}`}
        value={difference.against}
        choices={names.map((value) => ({ value, text: value }))}
        onChange={(against) => setQuery({ against })}
      />
      <LoadedView loaded={difference.loaded}>
        {(found) => (found === undefined ? null : <Services found={found} />)}
      </LoadedView>
      <Config tenant={environment} against={difference.against} />
    </SidePanel>
  )
}

function Services({ found }: { readonly found: TopologyDifference }): JSX.Element {
  if (found.services.length === 0) return <p class="muted">{t('diff.none')}</p>
  return (
    <>
      <h3>{tn('diff.count', found.services.length)}</h3>
      <ul class="differences">
        {found.services.map((one) => (
          <li key={one.service}>
            <p>
              <strong class="wrap">{one.service}</strong>{' '}
              <span class={`diff-word diff-${kindOfDifference(one)}`}>{t(`diff.kind.${kindOfDifference(one)}`)}</span>
            </p>
            <Fields before={one.right} after={one.left} names={[found.right, found.left]} />
          </li>
        ))}
      </ul>
    </>
  )
}

/** What it is compared with stands first, as for values of config. */
function Fields(props: {
  readonly before: TopologyNode | null
  readonly after: TopologyNode | null
  readonly names: readonly [string, string]
}): JSX.Element {
  const fields = differingFields(props.before, props.after)
  return (
    <table class="table table-small">
      <thead>
        <tr>
          <td />
          <th scope="col">{props.names[0]}</th>
          <th scope="col">{props.names[1]}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map(({ field, left, right }) => (
          <tr key={field}>
            <th scope="row">{t(`diff.field.${field}`)}</th>
            <td class="wrap">{left}</td>
            <td class="wrap">{right}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Config({ tenant, against }: { readonly tenant: string; readonly against: string }): JSX.Element {
  const { state } = useLoaded({
    key: `config-difference/${tenant}/${against}`,
    load: (signal) => diffTenants(tenant, against, signal),
    topics: ['config'],
  })
  return (
    <>
      <h3>{t('diff.config')}</h3>
      <LoadedView loaded={state.value}>
        {(differences) => (
          <ConfigDifferences
            differences={differences.filter(({ kind }) => kind === 'config')}
            before={against}
            after={tenant}
          />
        )}
      </LoadedView>
    </>
  )
}
