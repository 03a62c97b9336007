import type { Topology } from '@tributary/contract'
import type { JSX } from 'preact'
import { setQuery } from '../../data/router.js'
import { t, tn } from '../../i18n/i18n.js'
import { ago } from '../../i18n/time.js'
import { Icon } from '../../ui/icon.js'
import { edgeId } from './graph-model.js'

/** Calls that lost the environment on the way, newest first. */
export function LeakList({ topology: { leaks, environment } }: { readonly topology: Topology }): JSX.Element | null {
  if (leaks.length === 0) return null
  return (
    <section class="card card-bad" id="leaks">
      <h2>
        <Icon name="drop" /> {tn('topo.leaks', leaks.length)}
      </h2>
      <p class="muted">{t('topo.leaksText', { name: environment })}</p>
      <ul class="lines">
        {leaks.map(({ kind, from, to, route, count, lastSeenAt }) => (
          <li key={`${kind} ${from} ${to} ${route}`}>
            <button
              type="button"
              class="link"
              onClick={() => setQuery({ edge: from === null ? undefined : edgeId(from, to), node: undefined })}
            >
              {t('topo.leak.line', {
                from: from ?? t('topo.leak.unknown'),
                to,
                kind: t(`topo.leak.${kind}`),
                n: count,
                route,
              })}
            </button>
            <span class="muted small">{ago(lastSeenAt)}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
