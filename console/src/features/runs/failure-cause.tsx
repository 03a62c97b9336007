import type { LogLine, Run } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { runLogPath } from '../../api/env-manager.js'
import { useEventStream } from '../../data/use-event-stream.js'
import { t } from '../../i18n/i18n.js'
import { Icon } from '../../ui/icon.js'
import { sourceOf } from './step-timeline.js'

const LAST_LINES = 12

/** Why a run failed, before anything else: the cause, the step, and what was said last. Nothing for a run that did not fail. */
export function FailureCause({ run }: { readonly run: Run }): JSX.Element | null {
  if (run.state !== 'failed') return null
  const step = run.steps.find(({ state }) => state === 'failed')
  const message = run.error?.message ?? step?.message ?? ''
  return (
    <section class="card card-bad cause" aria-label={t('run.cause')}>
      <h2>
        <Icon name="alert" /> {t('run.cause')}
      </h2>
      <p class="cause-text wrap" tabIndex={0}>
        {message}
      </p>
      <p class="muted small">
        {step === undefined
          ? ''
          : t('run.causeStep', {
              step: step.service === undefined ? step.name : `${step.name} (${step.service})`,
            })}{' '}
        {run.error === null ? null : <code>{run.error.code}</code>}
      </p>
      <LastLines run={run} source={step === undefined ? undefined : sourceOf(step)} />
    </section>
  )
}

/** What the failed step and service said last. */
function LastLines({ run, source }: { readonly run: Run; readonly source: string | undefined }): JSX.Element | null {
  const lines = useMemo<LogLine[]>(() => [], [run.runId])
  const [ended, setEnded] = useState(false)
  useEffect(() => setEnded(false), [run.runId])
  useEventStream(runLogPath(run.runId).replace('follow=true', 'follow=false'), {
    events: {
      log: (data) => {
        const line = data as LogLine
        if (source !== undefined && line.source !== source) return
        lines.push(line)
        if (lines.length > LAST_LINES) lines.shift()
      },
      end: () => setEnded(true),
    },
    onRestart: () => (lines.length = 0),
  })
  if (!ended || lines.length === 0) return null
  return (
    <>
      <h3>{t('run.causeLog')}</h3>
      <pre class="cause-log" tabIndex={0}>
        {lines.map(({ text }) => text).join('\n')}
      </pre>
    </>
  )
}
