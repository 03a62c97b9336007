import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'
import type { RepeatedLine } from './cause.js'

/** The last lines of a log, as they were printed; what came several times in a row stands once. */
export function QuotedLog({ lines }: { readonly lines: readonly RepeatedLine[] }): JSX.Element {
  return (
    <pre class="cause-log" tabIndex={0} aria-label={t('run.causeLog')}>
      {lines.map(({ text, times }) => (times === 1 ? text : t('run.causeTimes', { text, times }))).join('\n')}
    </pre>
  )
}
