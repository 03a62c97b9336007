import { namedMessage } from '@tributary/contract'
import { AppError, isAppError } from '@tributary/kit'
import type { DesiredService } from '../../domain/desired-services.js'
import type { EnvironmentRecord, ServiceRecord } from '../../domain/environment-record.js'
import { messageOf } from '../dependencies.js'
import { updateEnvironment } from '../state/environments.js'
import type { RunContext } from './deploy-context.js'
import { reportRun } from './report-run.js'

/** A failure of one service; the others went on. */
export interface ServiceFailure {
  readonly service: DesiredService
  readonly error: unknown
}

/** How often a commit's deploy is tried before it is given up on. */
const MAX_DEPLOY_ATTEMPTS = 3
/** Failures that the same commit will always have again. */
const FINAL_CODES = [
  'PLATFORM_BUILD_FAILED',
  'PLATFORM_UNSUPPORTED',
  'CHART_INVALID',
  'SECRET_UNAVAILABLE',
  'GIT_COMMIT_NOT_FOUND',
  'VERIFY_FAILED',
]

/** Ends a run that got through: with the failures of single services in their records, in one transaction. */
export async function finishDeploy(context: RunContext, failures: readonly ServiceFailure[]): Promise<void> {
  const { deps, run, record } = context
  const [first] = failures
  await run.step({ name: 'report' }, (log) => reportRun(context, { log, failures }))
  const ended = await run.ended(failures.length === 0 ? 'succeeded' : 'failed', summaryOf(failures, first?.error))
  await updateEnvironment(deps.store, record.name, (current) => ({
    record: { ...withoutRun(failures.reduce(withFailure, current), ended.runId), unfinished: null },
    alongside: { mutations: run.mutations() },
  }))
}

/** Ends a run that did not get through: superseded, or stopped by something that concerns all of it. */
export async function abandonDeploy(context: RunContext, error: unknown): Promise<void> {
  const { deps, run, record } = context
  const superseded = isAppError(error, 'RUN_SUPERSEDED')
  const state = superseded ? 'superseded' : isAppError(error, 'MANAGER_STOPPING') ? 'interrupted' : 'failed'
  const ended = await run.ended(state, error)
  await updateEnvironment(deps.store, record.name, (current) => ({
    record: withoutRun(current, ended.runId),
    alongside: { mutations: run.mutations() },
  }))
}

function summaryOf(failures: readonly ServiceFailure[], first: unknown): unknown {
  if (failures.length <= 1) return first
  const lines = failures.map(({ service, error }) => namedMessage(service.service, messageOf(error)))
  const code = first instanceof AppError ? first.code : 'INTERNAL'
  return new AppError({ kind: 'failed_precondition', code, message: lines.join('\n') })
}

function withFailure(record: EnvironmentRecord, { service, error }: ServiceFailure): EnvironmentRecord {
  const before = record.services[service.service]
  if (before === undefined) return record
  const { commitSha } = service
  const counts = !(error instanceof AppError && error.retryable)
  const attempts = (before.failure?.commitSha === commitSha ? before.failure.attempts : 0) + (counts ? 1 : 0)
  const isFinal = attempts >= MAX_DEPLOY_ATTEMPTS || (isAppError(error) && FINAL_CODES.includes(error.code))
  const failed = { commitSha, attempts, message: messageOf(error), final: isFinal }
  return { ...record, services: { ...record.services, [service.service]: { ...before, failure: failed } } }
}

function withoutRun(record: EnvironmentRecord, runId: string): EnvironmentRecord {
  const settled = mapServices(record, (service) => (service.deploying ? { ...service, deploying: false } : service))
  return { ...settled, currentRunId: null, lastRunId: runId }
}

/** A record with each service changed. */
export function mapServices(
  record: EnvironmentRecord,
  change: (service: ServiceRecord) => ServiceRecord,
): EnvironmentRecord {
  const services = Object.fromEntries(Object.entries(record.services).map(([name, service]) => [name, change(service)]))
  return { ...record, services }
}
