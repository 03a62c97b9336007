import { readFile } from 'node:fs/promises'
import type { Run } from '@tributary/contract'
import { expect, it } from 'vitest'
import { ManagerMetrics, type ManagerSources } from './manager-metrics.js'

const GUIDE = new URL('../../../../docs/guides/operations.md', import.meta.url)

const sources: ManagerSources = {
  environments: async () => ['ready', 'failed', 'ready'],
  frozenRemovals: async () => 7,
  queued: () => 3,
  running: () => 2,
  failingRepositories: () => 1,
  watches: () => [
    { kind: 'Pod', ageMs: 2_500, failures: 4 },
    { kind: 'Deployment', ageMs: undefined, failures: 0 },
  ],
}

const run: Run = {
  runId: 'r1',
  environment: 'feature-x',
  generation: 1,
  kind: 'deploy',
  state: 'failed',
  trigger: 'push',
  commits: [],
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:20.000Z',
  steps: [],
  error: null,
}

function metrics(): ManagerMetrics {
  const made = new ManagerMetrics()
  made.addGauges(sources)
  return made
}

it('counts runs by kind and outcome with their durations, and failed looks', async () => {
  const made = metrics()
  made.noteRun(run)
  made.noteReconcileError()
  expect((await made.render()).split('\n')).toEqual(
    expect.arrayContaining([
      'env_manager_runs_total{kind="deploy",state="failed"} 1',
      'env_manager_runs_total{kind="teardown",state="succeeded"} 0',
      'env_manager_run_seconds_bucket{le="15",kind="deploy"} 0',
      'env_manager_run_seconds_bucket{le="30",kind="deploy"} 1',
      'env_manager_run_seconds_sum{kind="deploy"} 20',
      'env_manager_reconcile_errors_total 1',
    ]),
  )
})

it('shows what its sources say at the time', async () => {
  expect((await metrics().render()).split('\n')).toEqual(
    expect.arrayContaining([
      'env_manager_environments{phase="ready"} 2',
      'env_manager_environments{phase="failed"} 1',
      'env_manager_environments{phase="pending"} 0',
      'env_manager_breaker_removals 7',
      'env_manager_queue_length 3',
      'env_manager_queue_running 2',
      'env_manager_repositories_failing 1',
      'env_manager_platform_watch_age_seconds{kind="Pod"} 2.5',
      'env_manager_platform_watch_failures{kind="Pod"} 4',
      'env_manager_platform_watch_failures{kind="Deployment"} 0',
    ]),
  )
})

it('documents every metric with its type and its help, and no other', async () => {
  const lines = (await metrics().render()).split('\n')
  const textAfter = (start: string): string => lines.find((line) => line.startsWith(start))?.slice(start.length) ?? ''
  const names = lines.flatMap((line) => /^# HELP (\S+)/.exec(line)?.[1] ?? [])
  const rows = names.map(
    (name) => `| \`${name}\` | ${textAfter(`# TYPE ${name} `)} | ${textAfter(`# HELP ${name} `)} |`,
  )
  const guide = await readFile(GUIDE, 'utf8')
  const table = guide.split('\n').filter((line) => /^\| `env_manager_[a-z_]+` +\|/.test(line))
  // The formatter pads the cells.
  const documented = table.map((line) => line.replaceAll(/ +\|/g, ' |').replaceAll(/\| +/g, '| '))
  expect(documented.sort()).toEqual(rows.sort())
})
