import type {
  AuditRecord,
  CallExplanation,
  Environment,
  LedgerLine,
  ManagerStatus,
  Plan,
  ProbeReport,
  Receipt,
  Run,
  Topology,
  TopologyDifference,
} from '@tributary/contract'
import { request } from './request.js'

const environment = (name: string): string => `/v1/environments/${encodeURIComponent(name)}`

export const listEnvironments = async (signal: AbortSignal): Promise<readonly Environment[]> =>
  (await request<{ environments: Environment[] }>({ path: '/v1/environments', signal })).environments

export const getEnvironment = (name: string, signal: AbortSignal): Promise<Environment> =>
  request({ path: environment(name), signal })

export const getPlan = (name: string, signal: AbortSignal): Promise<Plan> =>
  request({ path: `${environment(name)}/plan`, signal })

export const listLedger = async (name: string, signal: AbortSignal): Promise<readonly LedgerLine[]> =>
  (await request<{ lines: LedgerLine[] }>({ path: `${environment(name)}/ledger`, signal })).lines

export const listReceipts = async (name: string, signal: AbortSignal): Promise<readonly Receipt[]> =>
  (await request<{ receipts: Receipt[] }>({ path: `${environment(name)}/receipts`, signal })).receipts

export const getTopology = (name: string, signal: AbortSignal): Promise<Topology> =>
  request({ path: `${environment(name)}/topology`, signal })

export const diffTopology = (name: string, against: string, signal: AbortSignal): Promise<TopologyDifference> =>
  request({ path: `${environment(name)}/topology/diff`, query: { against }, signal })

/** Who answers a call of the environment, by which rule; `from` names the caller. */
export const explainCall = (
  name: string,
  call: { readonly call: string; readonly from?: string | undefined },
): Promise<CallExplanation> => request({ path: `${environment(name)}/explain`, query: call })

export const probe = (name: string): Promise<ProbeReport> =>
  request({ method: 'POST', path: `${environment(name)}/probe` })

export const listRuns = async (
  query: { readonly environment?: string | undefined; readonly limit?: number },
  signal: AbortSignal,
): Promise<readonly Run[]> => (await request<{ runs: Run[] }>({ path: '/v1/runs', query, signal })).runs

export const getRun = (runId: string, signal: AbortSignal): Promise<Run> =>
  request({ path: `/v1/runs/${encodeURIComponent(runId)}`, signal })

export const getStatus = (signal?: AbortSignal): Promise<ManagerStatus> =>
  request({ path: '/v1/status', ...(signal === undefined ? {} : { signal }) })

export const patchEnvironment = (name: string, body: Readonly<Record<string, unknown>>): Promise<Environment> =>
  request({ method: 'PATCH', path: environment(name), body })

export const deleteEnvironment = (name: string): Promise<unknown> =>
  request({ method: 'DELETE', path: environment(name) })

/** `reconcile` looks again and tries once more what was given up on; `redeploy` stops what runs and starts it again. */
export const actOnEnvironment = (name: string, action: 'reconcile' | 'sleep' | 'wake' | 'redeploy'): Promise<unknown> =>
  request({
    method: 'POST',
    path: `${environment(name)}/${action}`,
    ...(action === 'redeploy' ? { body: {} } : {}),
  })

export const rollBackService = (name: string, service: string, runId: string | undefined): Promise<unknown> =>
  request({
    method: 'POST',
    path: `${environment(name)}/services/${encodeURIComponent(service)}/rollback`,
    body: runId === undefined ? {} : { runId },
  })

export const approveRemovals = (approvalId: string): Promise<unknown> =>
  request({ method: 'POST', path: '/v1/breaker/approve', body: { approvalId } })

/** Where a run's log is streamed. */
export const runLogPath = (runId: string): string => `/v1/runs/${encodeURIComponent(runId)}/logs?follow=true`
/** Where a service's log is streamed. */
export const serviceLogPath = (name: string, service: string): string =>
  `${environment(name)}/logs?service=${encodeURIComponent(service)}&tailLines=500&follow=true`
/** Where an environment's topology is streamed. */
export const topologyStreamPath = (name: string): string => `${environment(name)}/topology/stream`

/** Who asked for what, newest first; `before`: only what is older than this record. */
export const listAudit = async (
  query: { readonly before?: string | undefined; readonly limit: number },
  signal?: AbortSignal,
): Promise<readonly AuditRecord[]> =>
  (await request<{ records: AuditRecord[] }>({ path: '/v1/audit', query, ...(signal === undefined ? {} : { signal }) }))
    .records
