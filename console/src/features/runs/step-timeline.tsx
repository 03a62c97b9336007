import type { Run, RunStep } from '@tributary/contract'
import type { JSX } from 'preact'
import { t } from '../../i18n/i18n.js'
import { ago, duration } from '../../i18n/time.js'
import { linkTo } from '../../data/router.js'
import { Commit } from '../../ui/commit.js'
import { Icon, type IconName } from '../../ui/icon.js'
import { headlineOf } from './cause.js'
import { sameStep } from './last-good.js'
import { tookMs } from './run-state.js'

const SIGNS: Readonly<Record<RunStep['state'], IconName>> = {
  pending: 'circle',
  running: 'spinner',
  succeeded: 'check',
  failed: 'cross',
  skipped: 'skip',
}
/** Smaller differences to the last good run are noise. */
const NOTABLE_MS = 200

interface Props {
  readonly run: Run
  readonly good: Run | undefined
  readonly chosen: string | undefined
  readonly onChoose: (source: string | undefined) => void
}

/** The steps of a run on a common time line, each beside the last good run's; choosing one shows its part of the log. */
export function StepTimeline({ run, good, chosen, onChoose }: Props): JSX.Element {
  const total = Math.max(1, tookMs(run) ?? 1)
  return (
    <section class="card">
      <h2>{t('run.steps')}</h2>
      <ol class="steps">
        {run.steps.map((step) => (
          <Step
            key={`${step.name} ${step.service ?? ''}`}
            {...{ step, run, total }}
            good={sameStep(step, good)}
            chosen={chosen === sourceOf(step)}
            onChoose={() => onChoose(chosen === sourceOf(step) ? undefined : sourceOf(step))}
          />
        ))}
      </ol>
      <Compared run={run} good={good} />
    </section>
  )
}

/** The name under which a step's lines stand in the log. */
export function sourceOf({ name, service }: Pick<RunStep, 'name' | 'service'>): string {
  return service === undefined ? name : `${name} ${service}`
}

function Step(props: {
  readonly step: RunStep
  readonly run: Run
  readonly total: number
  readonly good: RunStep | undefined
  readonly chosen: boolean
  readonly onChoose: () => void
}): JSX.Element {
  const { step, run, total, good } = props
  const took = tookMs(step)
  const start = step.startedAt === null ? 0 : Date.parse(step.startedAt) - Date.parse(run.startedAt)
  const left = Math.min(99, Math.max(0, (100 * start) / total))
  const width = took === undefined ? 0 : Math.min(100 - left, Math.max(1, (100 * took) / total))
  return (
    <li class={`step step-${step.state}`}>
      <button type="button" class="step-button" aria-pressed={props.chosen} onClick={props.onChoose}>
        <span class="step-sign">
          <Icon name={SIGNS[step.state]} size={15} />
        </span>
        <span class="step-name wrap">
          {step.name}
          {step.service === undefined ? '' : <small class="muted"> {step.service}</small>}
          <span class="unseen">, {t(`step.state.${step.state}`)}</span>
        </span>
        <span class="step-track" aria-hidden="true">
          <span class="step-bar" style={{ left: `${left}%`, width: `${width}%` }} />
        </span>
        <span class="step-time">
          {took === undefined ? '–' : duration(took)}
          <Slower took={took} good={good} />
        </span>
      </button>
      {step.message === null ? null : <p class="step-message small wrap">{headlineOf(step.message)}</p>}
    </li>
  )
}

function Slower({
  took,
  good,
}: {
  readonly took: number | undefined
  readonly good: RunStep | undefined
}): JSX.Element | null {
  const before = good === undefined ? undefined : tookMs(good)
  if (took === undefined || before === undefined || Math.abs(took - before) < NOTABLE_MS) return null
  const slower = took > before
  return (
    <small class={slower ? 'step-slower' : 'step-faster'}>
      {t(slower ? 'run.slower' : 'run.faster', { time: duration(Math.abs(took - before)) })}
    </small>
  )
}

function Compared({ run, good }: Pick<Props, 'run' | 'good'>): JSX.Element {
  if (good === undefined) return <p class="muted small">{t('run.compareNone')}</p>
  return (
    <div class="compared">
      <h3>{t('run.compare')}</h3>
      <p class="small">
        <a href={linkTo(['runs', good.runId])}>{ago(good.startedAt)}</a>, {duration(tookMs(good) ?? 0)}
      </p>
      <ul class="lines small">
        {run.commits.map(({ repository, commitSha }) => {
          const before = good.commits.find((other) => other.repository === repository)?.commitSha
          return (
            <li key={repository}>
              <span>{repository}</span>
              {before === commitSha ? (
                <span class="muted">{t('run.compareSame')}</span>
              ) : (
                <span>
                  {before === undefined ? '–' : <Commit sha={before} repository={repository} />} →{' '}
                  <Commit sha={commitSha} repository={repository} />
                </span>
              )}
            </li>
          )
        })}
      </ul>
    </div>
  )
}
