import type { LogLine, Run } from '@tributary/contract'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { runLogPath } from '../../api/env-manager.js'
import { useEventStream } from '../../data/use-event-stream.js'
import { t } from '../../i18n/i18n.js'
import { Icon } from '../../ui/icon.js'

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
      <p class="cause-text wrap">{message}</p>
      <p class="muted small">
        {step === undefined
          ? ''
          : t('run.causeStep', {
              step: step.service === undefined ? step.name : `${step.name} (${step.service})`,
            })}{' '}
        {run.error === null ? null : <code>{run.error.code}</code>}
      </p>
      <LastLines run={run} />
    </section>
  )
}

/** What the failed step and service said last. */
function LastLines({ run }: { readonly run: Run }): JSX.Element | null {
  const lines = useMemo<LogLine[]>(() => [], [run.runId])
  const [ended, setEnded] = useState(false)
  useEffect(() => setEnded(false), [run.runId])
  useEventStream(runLogPath(run.runId).replace('follow=true', 'follow=false'), {
    events: {
      log: (data) => {
        lines.push(data as LogLine)
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
        {lines.map(({ source, text }) => `${source}  ${text}`).join('\n')}
      </pre>
    </>
  )
}
