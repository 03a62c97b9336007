import type { Run } from '@tributary/contract'
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { actOnEnvironment, getRun, listRuns, runLogPath } from '../../api/env-manager.js'
import { denial } from '../../api/session.js'
import { tellTopic } from '../../data/events.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t, tWord } from '../../i18n/i18n.js'
import { ago, duration } from '../../i18n/time.js'
import { Button } from '../../ui/button.js'
import { Icon } from '../../ui/icon.js'
import { LoadedView } from '../../ui/loaded-view.js'
import { LogView } from '../../ui/log-view.js'
import { attempt } from '../../ui/toast.js'
import { FailureCause } from './failure-cause.js'
import { lastGoodBefore } from './last-good.js'
import { RunBadge, tookMs } from './run-state.js'
import { StepTimeline } from './step-timeline.js'

const LOOKED_BACK = 200

/** One run: why it failed first, then its steps beside the last good run's, then its log. */
export function RunPage({ runId }: { readonly runId: string }): JSX.Element {
  const { state } = useLoaded<Run>({
    key: `run/${runId}`,
    load: (signal) => getRun(runId, signal),
    topics: ['run'],
    everyMs: 2000,
  })
  return (
    <div class="page">
      <a class="back" href={linkTo(['runs'])}>
        <Icon name="back" size={16} /> {t('runs.title')}
      </a>
      <LoadedView loaded={state.value}>{(run) => <Shown run={run} />}</LoadedView>
    </div>
  )
}

function Shown({ run }: { readonly run: Run }): JSX.Element {
  const [source, setSource] = useState<string>()
  const [newest, setNewest] = useState<Run>()
  const good = useLastGood(run)
  // The log's stream also tells the run: it is ahead of what is read now and then.
  const shown = newest !== undefined && run.state === 'running' ? newest : run
  return (
    <>
      <Head run={shown} />
      <FailureCause run={shown} />
      {shown.state === 'superseded' ? <p class="note">{t('run.supersededText')}</p> : null}
      {shown.state === 'interrupted' ? <p class="note tone-warn">{t('run.interruptedText')}</p> : null}
      <div class="run-body">
        <StepTimeline run={shown} good={good} chosen={source} onChoose={setSource} />
        <section class="card run-log">
          <h2>
            {t('run.log')} {source === undefined ? '' : `· ${source}`}
          </h2>
          <LogView
            path={runLogPath(run.runId)}
            source={source}
            dropped="log.dropped"
            id={run.runId}
            onRun={(data) => setNewest(data as Run)}
          />
        </section>
      </div>
    </>
  )
}

function Head({ run }: { readonly run: Run }): JSX.Element {
  const { environment, kind, trigger, startedAt, generation } = run
  return (
    <header class="page-head">
      <div class="head-text">
        <h1 class="wrap">
          {tWord(`runs.kind.${kind}`, kind)}: {environment}
        </h1>
        <p class="head-facts">
          <RunBadge state={run.state} />
          <a href={linkTo(['environments', environment])}>{environment}</a>
          <span>{trigger}</span>
          <span title={formatInstant(startedAt)}>{ago(startedAt)}</span>
          <span>{duration(tookMs(run) ?? 0)}</span>
          <span>{t('run.generation', { n: generation })}</span>
        </p>
      </div>
      <Button
        icon="refresh"
        unavailable={kind === 'teardown' ? t('env.why.terminating') : denial('change-environment', 'feature')}
        onClick={() => void rerun(environment)}
      >
        {t('run.rerun')}
      </Button>
    </header>
  )
}

async function rerun(environment: string): Promise<void> {
  await attempt(t('run.rerun'), () => actOnEnvironment(environment, 'reconcile'))
  tellTopic('run')
}

function useLastGood(run: Run): Run | undefined {
  const { state } = useLoaded({
    key: `runs/${run.environment}`,
    load: (signal) => listRuns({ environment: run.environment, limit: LOOKED_BACK }, signal),
    topics: ['run'],
  })
  return lastGoodBefore(run, state.value.data ?? [])
}
