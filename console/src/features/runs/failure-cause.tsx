import type { LogLine, Run } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { runLogPath } from '../../api/env-manager.js'
import { useEventStream } from '../../data/use-event-stream.js'
import { t } from '../../i18n/i18n.js'
import { Icon } from '../../ui/icon.js'
import { causeOf, type RepeatedLine } from './cause.js'
import { QuotedLog } from './quoted-log.js'
import { sourceOf } from './step-timeline.js'

const LAST_LINES = 24

/** Why a run failed, before anything else: the cause, the step, and what was said last. Nothing for a run that did not fail. */
export function FailureCause({ run }: { readonly run: Run }): JSX.Element | null {
  return run.state === 'failed' ? <Told run={run} /> : null
}

function Told({ run }: { readonly run: Run }): JSX.Element {
  const step = run.steps.find(({ state }) => state === 'failed')
  const log = useLastLines(run, step === undefined ? undefined : sourceOf(step))
  const { headline, lines } = causeOf(run.error?.message ?? step?.message ?? '', log)
  return (
    <section class="card card-bad cause" aria-label={t('run.cause')}>
      <h2>
        <Icon name="alert" /> {t('run.cause')}
      </h2>
      <p class="cause-text wrap" tabIndex={0}>
        {headline}
      </p>
      <p class="muted small">
        {step === undefined
          ? ''
          : t('run.causeStep', {
              step: step.service === undefined ? step.name : `${step.name} (${step.service})`,
            })}{' '}
        {run.error === null ? null : <code>{run.error.code}</code>}
      </p>
      {lines.length === 0 ? null : <LastLines lines={lines} />}
    </section>
  )
}

function LastLines({ lines }: { readonly lines: readonly RepeatedLine[] }): JSX.Element {
  return (
    <>
      <h3>{t('run.causeLog')}</h3>
      <QuotedLog lines={lines} />
    </>
  )
}

/** What the failed step and service said last; empty until all of it has come. */
function useLastLines(run: Run, source: string | undefined): readonly string[] {
  const lines = useMemo<string[]>(() => [], [run.runId])
  const [ended, setEnded] = useState(false)
  useEffect(() => setEnded(false), [run.runId])
  useEventStream(runLogPath(run.runId).replace('follow=true', 'follow=false'), {
    events: {
      log: (data) => {
        const line = data as LogLine
        if (source !== undefined && line.source !== source) return
        lines.push(line.text)
        if (lines.length > LAST_LINES) lines.shift()
      },
      end: () => setEnded(true),
    },
    onRestart: () => (lines.length = 0),
  })
  return ended ? lines : []
}
