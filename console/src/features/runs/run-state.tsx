import type { Run, RunStep } from '@tributary/contract'
import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'
import { now } from '../../i18n/time.js'
import { Badge, type Tone } from '../../ui/badge.js'
import type { IconName } from '../../ui/icon.js'

const STATES: Readonly<Record<Run['state'], readonly [Tone, IconName]>> = {
  running: ['busy', 'spinner'],
  succeeded: ['good', 'check'],
  failed: ['bad', 'cross'],
  superseded: ['quiet', 'skip'],
  interrupted: ['warn', 'alert'],
}

/** How a run ended, or that it goes on. */
export function RunBadge({ state }: { readonly state: Run['state'] }): JSX.Element {
  const [tone, icon] = STATES[state]
  return (
    <Badge tone={tone} icon={icon}>
      {t(`run.state.${state}`)}
    </Badge>
  )
}

/** How long something took, or takes by now; undefined before it began. */
export function tookMs({ startedAt, finishedAt }: Pick<RunStep, 'startedAt' | 'finishedAt'>): number | undefined {
  if (startedAt === null) return undefined
  const end = finishedAt === null ? Math.max(now.value, Date.now()) : Date.parse(finishedAt)
  return Math.max(0, end - Date.parse(startedAt))
}
