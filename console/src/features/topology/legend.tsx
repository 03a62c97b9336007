import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'

const STATES = ['own', 'inherited', 'masked', 'missing'] as const
const CALLS = ['declared', 'observed', 'errors', 'leak'] as const

/** What the shapes and lines mean. */
export function Legend(): JSX.Element {
  return (
    <details class="legend">
      <summary>{t('topo.legend')}</summary>
      <ul>
        {STATES.map((state) => (
          <li key={state}>
            <svg width="34" height="20" aria-hidden="true">
              <g class={`node node-${state}`}>
                <rect class="node-box" x="1" y="1" width="32" height="18" rx={state === 'inherited' ? 9 : 3} />
                {state === 'masked' ? <rect class="node-hatch" x="1" y="1" width="32" height="18" rx="3" /> : null}
              </g>
            </svg>
            {t(`topo.state.${state}`)}
          </li>
        ))}
        {CALLS.map((kind) => (
          <li key={kind}>
            <svg width="34" height="20" aria-hidden="true">
              <g class={`edge edge-${kind}`}>
                <path class="edge-line" d="M1,10H33" />
              </g>
            </svg>
            {t(`topo.legend.${kind}`)}
          </li>
        ))}
      </ul>
    </details>
  )
}
