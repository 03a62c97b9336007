import type { Topology } from '@tributary/contract'
import type { JSX } from 'preact'
import { setQuery } from '../../data/router.js'
import { t } from '../../i18n/i18n.js'
import { HealthBadge } from '../environments/phase.js'
import type { Difference } from './diff-panel.js'

/** The same as the drawing, as a table: for small screens, and for those who cannot see the drawing. */
export function TopologyList({
  topology,
  difference,
}: {
  readonly topology: Topology
  readonly difference: Difference
}): JSX.Element {
  const calls = (service: string): string =>
    topology.edges
      .filter(({ from }) => from === service)
      .map(({ to }) => to)
      .sort()
      .join(', ')
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={t('topo.list')}>
      <table class="table">
        <thead>
          <tr>
            <th scope="col">{t('platform.sub.service')}</th>
            <th scope="col">{t('env.column.state')}</th>
            <th scope="col">{t('node.owner')}</th>
            <th scope="col">{t('node.version')}</th>
            <th scope="col">{t('node.health')}</th>
            <th scope="col">{t('node.calls')}</th>
          </tr>
        </thead>
        <tbody>
          {topology.nodes.map((node) => {
            const kind = difference.kindOf(node.service)
            return (
              <tr key={node.service}>
                <th scope="row" class="name-cell">
                  <button type="button" class="link wrap" onClick={() => setQuery({ node: node.service })}>
                    {node.service}
                  </button>
                  {kind === undefined ? null : <small class="muted"> {t(`diff.kind.${kind}`)}</small>}
                </th>
                <td>
                  <span class={`state-word state-${node.state}`}>{t(`topo.state.${node.state}`)}</span>
                </td>
                <td>{node.owner ?? '–'}</td>
                <td class="one-line">{node.version ?? '–'}</td>
                <td>
                  <HealthBadge health={node.health} />
                </td>
                <td class="wrap name-cell">{calls(node.service)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}
