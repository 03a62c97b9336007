import type { Difference } from '@tributary/contract'
import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'

/** Values that differ, path by path. `before` and `after` head the two columns. */
export function ConfigDifferences(props: {
  readonly differences: readonly Pick<Difference, 'name' | 'path' | 'before' | 'after'>[]
  readonly before: string
  readonly after: string
}): JSX.Element {
  if (props.differences.length === 0) return <p class="muted">{t('diff.configNone')}</p>
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={t('diff.config')}>
      <table class="table table-small">
        <thead>
          <tr>
            <th scope="col">{t('node.configPath')}</th>
            <th scope="col">{props.before}</th>
            <th scope="col">{props.after}</th>
          </tr>
        </thead>
        <tbody>
          {props.differences.map(({ name, path = '', before, after }) => (
            <tr key={`${name}${path}`}>
              <th scope="row" class="wrap">
                <code>
                  {name}
                  {path}
                </code>
              </th>
              <td class="wrap diff-before">{shown(before)}</td>
              <td class="wrap diff-after">{shown(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function shown(value: unknown): JSX.Element {
  return value === null || value === undefined ? <span class="muted">–</span> : <code>{JSON.stringify(value)}</code>
}
