import type { Run } from '@tributary/contract'
import type { JSX } from 'preact'
import { listRuns } from '../../api/env-manager.js'
import { linkTo } from '../../data/router.js'
import { useLoaded } from '../../data/use-loaded.js'
import { formatInstant, t, tWord } from '../../i18n/i18n.js'
import { ago, duration } from '../../i18n/time.js'
import { Empty, LoadedView } from '../../ui/loaded-view.js'
import { headlineOf } from './cause.js'
import { RunBadge, tookMs } from './run-state.js'

const MOST = 200

/** Runs, newest first: of all environments, or of one. */
export function RunTable({ environment }: { readonly environment?: string }): JSX.Element {
  const { state } = useLoaded({
    key: `runs/${environment ?? ''}`,
    load: (signal) => listRuns({ environment, limit: MOST }, signal),
    topics: ['run'],
  })
  return (
    <LoadedView loaded={state.value}>
      {(runs) =>
        runs.length === 0 ? (
          <Empty title={t('runs.empty')}>{t('runs.emptyText')}</Empty>
        ) : (
          <div class="table-frame" tabIndex={0} role="region" aria-label={t('runs.title')}>
            <table class="table table-runs">
              <thead>
                <tr>
                  {(['state', 'run', 'environment', 'trigger', 'started', 'took'] as const).map((column) => (
                    <th key={column} scope="col">
                      {t(`runs.column.${column}`)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {runs.map((run) => (
                  <RunLine key={run.runId} run={run} />
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </LoadedView>
  )
}

function RunLine({ run }: { readonly run: Run }): JSX.Element {
  const { runId, state, kind, environment, trigger, startedAt, error, commits } = run
  return (
    <tr>
      <td>
        <RunBadge state={state} />
      </td>
      <th scope="row">
        <a href={linkTo(['runs', runId])}>{tWord(`runs.kind.${kind}`, kind)}</a>{' '}
        <code class="muted">{commits.map(({ commitSha }) => commitSha.slice(0, 8)).join(' ')}</code>
        <span class="small narrow-only">
          <a class="wrap" href={linkTo(['environments', environment])}>
            {environment}
          </a>{' '}
          · {ago(startedAt)} · {duration(tookMs(run) ?? 0)}
        </span>
        {error === null ? null : <span class="small run-error cut block">{headlineOf(error.message)}</span>}
      </th>
      <td class="name-cell">
        <a class="wrap" href={linkTo(['environments', environment])}>
          {environment}
        </a>
      </td>
      <td>{trigger}</td>
      <td class="one-line" title={formatInstant(startedAt)}>
        {ago(startedAt)}
      </td>
      <td class="one-line">{duration(tookMs(run) ?? 0)}</td>
    </tr>
  )
}
