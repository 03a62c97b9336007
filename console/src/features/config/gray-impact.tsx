import type { GrayImpact, GrayReleaseSpec } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { previewGrayRelease } from '../../api/config-center.js'
import { onTopic } from '../../data/events.js'
import { formatNumber, t, tn } from '../../i18n/i18n.js'
import { ConfigDifferences } from './config-differences.js'
import { ViolationNote } from './violation-note.js'

/** Typing is over when nothing more has come for so long. */
const PAUSE_MS = 350

/** What a gray release would bring to whom, as the server has tried it; a message where it cannot be tried. */
export type TriedGray = GrayImpact | string | undefined

/** Tries the release that is being written, again when it or who subscribes changes. Undefined: not yet, or nothing to try. */
export function useGrayImpact(tenant: string, service: string, spec: GrayReleaseSpec | undefined): TriedGray {
  const [tried, setTried] = useState<{ readonly of: string; readonly impact: GrayImpact | string }>()
  const [round, setRound] = useState(0)
  const key = spec === undefined ? '' : JSON.stringify([tenant, service, spec])
  useEffect(() => onTopic('config', () => setRound((before) => before + 1)), [])
  useEffect(() => {
    if (spec === undefined) return undefined
    const ending = new AbortController()
    // The same draw as before: who would get it changes with what is asked for, not from one look to the next.
    const known = typeof tried?.impact === 'object' ? { draw: tried.impact.draw } : {}
    const timer = setTimeout(() => {
      previewGrayRelease({ tenant, service }, { ...spec, ...known }, ending.signal).then(
        (impact) => setTried({ of: key, impact }),
        (error: unknown) => {
          if (!ending.signal.aborted)
            setTried({ of: key, impact: error instanceof Error ? error.message : String(error) })
        },
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      ending.abort()
    }
  }, [key, round])
  return tried?.of === key ? tried.impact : undefined
}

/** Shows who would get what, before anything is begun. */
export function GrayImpactView({ tried }: { readonly tried: TriedGray }): JSX.Element {
  return (
    <section class="stack" aria-label={t('config.gray.impact')} aria-busy={tried === undefined}>
      <h3>{t('config.gray.impact')}</h3>
      {tried === undefined ? <p class="muted">{t('config.gray.trying')}</p> : null}
      {typeof tried === 'string' ? <p class="note tone-warn">{tried}</p> : null}
      {typeof tried === 'object' ? <Told impact={tried} /> : null}
    </section>
  )
}

function Told({ impact }: { readonly impact: GrayImpact }): JSX.Element {
  const { reach, paths, pathCount, violations } = impact
  return (
    <>
      <ViolationNote says={t('config.gray.breaks')} violations={violations} />
      {reach === null ? <p class="note tone-warn">{t('config.gray.reachUnknown')}</p> : <Reach reach={reach} />}
      {pathCount === 0 ? (
        <p class="muted">{t('config.gray.noDifference')}</p>
      ) : (
        <ConfigDifferences
          differences={paths.map(({ path, before, after, absent }) => ({
            name: '',
            path,
            before: absent === 'before' ? undefined : before,
            after: absent === 'after' ? undefined : after,
          }))}
          before={t('config.gray.others')}
          after={t('config.gray.members')}
        />
      )}
      {pathCount > paths.length ? <p class="muted">{t('env.more', { n: pathCount - paths.length })}</p> : null}
    </>
  )
}

function Reach({ reach }: { readonly reach: NonNullable<GrayImpact['reach']> }): JSX.Element {
  const { members, instances, others, nameless, overlaying, overlayingTenants } = reach
  return (
    <>
      <p role="status">{t('config.gray.reach', { n: formatNumber(members), total: formatNumber(members + others) })}</p>
      {instances.length === 0 ? null : (
        <ul class="chips" aria-label={t('config.gray.instances')}>
          {instances.map((instance) => (
            <li key={instance} class="chip">
              <code class="wrap">{instance}</code>
            </li>
          ))}
        </ul>
      )}
      {nameless === 0 ? null : <p class="muted small">{tn('config.gray.nameless', nameless)}</p>}
      {overlaying === 0 ? null : (
        <p class="muted small">{tn('config.gray.overlaying', overlaying, { tenants: overlayingTenants })}</p>
      )}
    </>
  )
}
