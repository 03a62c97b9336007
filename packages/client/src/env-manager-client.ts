import type {
  AuditRecord,
  CallExplanation,
  ChangeEvent,
  Environment,
  EnvironmentPatch,
  GitHint,
  HintAccepted,
  ImageTaken,
  LedgerLine,
  LogLine,
  ManagerStatus,
  Plan,
  ProbeReport,
  Receipt,
  ReleasedObjects,
  RequestReport,
  Run,
  SessionState,
  SleepingEnvironments,
  StateRequested,
  Topology,
  TopologyDifference,
} from '@tributary/contract'
import type { SseEvent } from '@tributary/kit'
import type { ReadOptions } from './config-center-client.js'
import { createHttpCaller, type ClientOptions, type HttpCaller } from './http.js'

/** A probe waits for every service on its way. */
const PROBE_TIMEOUT_MS = 60_000

/** What a followed run sends: its log lines, and the run itself whenever it changes. */
export type RunEvent = { readonly kind: 'log'; readonly line: LogLine } | { readonly kind: 'run'; readonly run: Run }

/** The env-manager's public API, typed. Every method rejects with `AppError` carrying the server's code. */
export type EnvManagerClient = ReturnType<typeof createEnvManagerClient>

/** Makes a client of the env-manager. It holds no connection and needs no closing. */
export function createEnvManagerClient(options: ClientOptions) {
  const http = createHttpCaller(options)
  const environment = (name: string, rest = ''): string => `/v1/environments/${encodeURIComponent(name)}${rest}`

  return {
    /** All of them, or those of an owner: a name, an address, or the address before its @. */
    listEnvironments: ({ owner, ...read }: ReadOptions & { readonly owner?: string } = {}) =>
      http.call<{ environments: Environment[] }>('GET', '/v1/environments', { ...read, query: { owner } }),
    getEnvironment: (name: string, read: ReadOptions = {}) => http.call<Environment>('GET', environment(name), read),
    patchEnvironment: (name: string, body: EnvironmentPatch) =>
      http.call<Environment>('PATCH', environment(name), { body }),
    deleteEnvironment: (name: string) => http.call<undefined>('DELETE', environment(name)),
    /** Stops its services until it is woken. */
    sleepEnvironment: (name: string) => http.call<StateRequested>('POST', environment(name, '/sleep')),
    wakeEnvironment: (name: string) => http.call<StateRequested>('POST', environment(name, '/wake')),
    /** Stops and starts one service, or every own one. */
    redeploy: (name: string, body: { service?: string } = {}) =>
      http.call<undefined>('POST', environment(name, '/redeploy'), { body }),
    /** Takes finalizers off what holds an environment that is being torn down, without what they stand for being done. */
    releaseFinalizers: (name: string) => http.call<ReleasedObjects>('POST', environment(name, '/release-finalizers')),
    reconcile: (name: string) => http.call<undefined>('POST', environment(name, '/reconcile')),
    getPlan: (name: string, read: ReadOptions = {}) => http.call<Plan>('GET', environment(name, '/plan'), read),
    getTopology: (name: string, read: ReadOptions = {}) =>
      http.call<Topology>('GET', environment(name, '/topology'), read),
    watchTopology: (name: string, signal: AbortSignal) =>
      parsed<Topology>(http.events(environment(name, '/topology/stream'), { signal }), 'topology'),
    diffTopology: (name: string, against: string, read: ReadOptions = {}) =>
      http.call<TopologyDifference>('GET', environment(name, '/topology/diff'), { ...read, query: { against } }),
    /** `from`: the service that makes the call. */
    explainCall: (name: string, service: string, { from, ...read }: ReadOptions & { readonly from?: string } = {}) =>
      http.call<CallExplanation>('GET', environment(name, '/explain'), { ...read, query: { call: service, from } }),
    /** Sends a synthetic request through every declared edge of the environment. */
    probe: (name: string, query: { readonly leakSeconds?: number } = {}, read: ReadOptions = {}) =>
      http.call<ProbeReport>('POST', environment(name, '/probe'), { ...read, query, extraTimeoutMs: PROBE_TIMEOUT_MS }),
    /** Ends by itself unless `follow`; aborting the signal ends it quietly. */
    readLogs: (name: string, query: { service: string; tailLines?: number; follow?: boolean }, signal: AbortSignal) =>
      parsed<LogLine>(http.events(environment(name, '/logs'), { query, signal }), 'log'),
    listLedger: (name: string, read: ReadOptions = {}) =>
      http.call<{ lines: LedgerLine[] }>('GET', environment(name, '/ledger'), read),
    listReceipts: (name: string, read: ReadOptions = {}) =>
      http.call<{ receipts: Receipt[] }>('GET', environment(name, '/receipts'), read),
    rollbackService: (name: string, service: string, body: { runId?: string } = {}) =>
      http.call<undefined>('POST', environment(name, `/services/${encodeURIComponent(service)}/rollback`), { body }),
    /** Names the image that was built of a commit (40 hexadecimal digits), for a service with `deploy: { on: image }`. */
    takeImage: (name: string, { service, commitSha, image }: { service: string; commitSha: string; image: string }) =>
      http.call<ImageTaken>('PUT', environment(name, `/services/${encodeURIComponent(service)}/images/${commitSha}`), {
        body: { image },
      }),

    ...runsOf(http),

    hintGit: (body: GitHint = {}) => http.call<HintAccepted>('POST', '/v1/hints/git', { body }),
    /** What a gateway saw; answers which environments are asleep. */
    reportRequests: (body: RequestReport, { signal }: { readonly signal?: AbortSignal } = {}) =>
      http.call<SleepingEnvironments>('POST', '/v1/request-reports', { body, signal }),
    ...peopleAndEventsOf(http),
    getStatus: (read: ReadOptions = {}) => http.call<ManagerStatus>('GET', '/v1/status', read),
    approveDeletions: (approvalId: string) =>
      http.call<undefined>('POST', '/v1/breaker/approve', { body: { approvalId } }),
  }
}

function runsOf(http: HttpCaller) {
  return {
    listRuns: (query: { environment?: string; limit?: number } = {}, read: ReadOptions = {}) =>
      http.call<{ runs: Run[] }>('GET', '/v1/runs', { ...read, query }),
    getRun: (runId: string, read: ReadOptions = {}) =>
      http.call<Run>('GET', `/v1/runs/${encodeURIComponent(runId)}`, read),
    /** Tries again what the run did not bring about. */
    rerun: (runId: string) => http.call<undefined>('POST', `/v1/runs/${encodeURIComponent(runId)}/rerun`),
    /** Log lines and states of a run; with `follow` until the run has ended. */
    async *followRun(runId: string, query: { follow?: boolean }, signal: AbortSignal): AsyncIterable<RunEvent> {
      for await (const event of http.events(`/v1/runs/${encodeURIComponent(runId)}/logs`, { query, signal })) {
        if (event.event === 'log') yield { kind: 'log', line: JSON.parse(event.data) as LogLine }
        else if (event.event === 'run') yield { kind: 'run', run: JSON.parse(event.data) as Run }
        else if (event.event === 'end') return
      }
    },
  }
}

function peopleAndEventsOf(http: HttpCaller) {
  return {
    /** Who asked for what, newest first. */
    listAudit: (query: { environment?: string; before?: string; limit?: number } = {}, read: ReadOptions = {}) =>
      http.call<{ records: AuditRecord[] }>('GET', '/v1/audit', { ...read, query }),
    /** Who the token is here, and what it may do. */
    getSession: (read: ReadOptions = {}) => http.call<SessionState>('GET', '/v1/session', read),
    /** Things that change, from now on; undefined: anything may have changed, read everything again. Ends with the server or the signal. */
    async *watchEvents(signal: AbortSignal): AsyncIterable<ChangeEvent | undefined> {
      for await (const { event, data } of http.events('/v1/events', { signal })) {
        yield event === 'reset' ? undefined : (JSON.parse(data) as ChangeEvent)
      }
    },
  }
}

async function* parsed<T>(events: AsyncIterable<SseEvent>, name: string): AsyncIterable<T> {
  for await (const event of events) {
    if (event.event === name) yield JSON.parse(event.data) as T
    else if (event.event === 'end') return
  }
}
