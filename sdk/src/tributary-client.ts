import type { IncomingHttpHeaders } from 'node:http'
import type { CallsReport, Endpoint, HelloFrame, StreamChannel } from '@tributary/contract'
import { PROBE_HEADER } from '@tributary/contract/light'
import { AppliedReporter, type AppliedState } from './applied-reporter.js'
import { StateHolder, stateAfter, type StateListener, type StateReport } from './client-state.js'
import { ConfigStore, type Config } from './config/config-store.js'
import { currentTenant } from './context/routing-context.js'
import { TableRouting, type Routing } from './context/routing.js'
import { Diagnostics, type DiagnosticCode } from './diagnostics.js'
import { sdkError } from './errors.js'
import { runSelfCheck, type SelfCheck } from './health/self-check.js'
import { paths } from './http/paths.js'
import { Transport, type JsonAnswer } from './http/transport.js'
import { Callbacks, type ReceivedCallback } from './messaging/callbacks.js'
import { Capsules, type LifetimeOptions, type RestoredContext } from './messaging/capsules.js'
import { ConsumerRule } from './messaging/consumer-rule.js'
import { RoutedMessages, type Messages } from './messaging/messages.js'
import { CallObservation } from './observe/call-observation.js'
import type { Settings } from './config.js'
import { ProbeResponder, type ProbeResponse } from './probe/probe-responder.js'
import { Registration, type RegisterOptions } from './registration/registration.js'
import { sendReport } from './report-sender.js'
import { Directory } from './resolve/directory.js'
import type { Resolution } from './resolve/resolution.js'
import { ResolutionWatchers, type ResolutionHandler } from './resolve/resolution-watchers.js'
import { Resolver, type ResolveOptions } from './resolve/resolver.js'
import { SnapshotFile } from './snapshot/snapshot-file.js'
import { SnapshotWriter } from './snapshot/snapshot-writer.js'
import { StartGate } from './start-gate.js'
import { Replica } from './stream/replica.js'
import type { StreamEnd } from './stream/stream-end.js'
import { StreamLoop, type StreamLoopEvents } from './stream/stream-loop.js'
import type { Tributary } from './tributary.js'
import { objectOf } from './wire/guard.js'
import { isStoreRevision } from './wire/wire-guards.js'

const PROBE_TIMEOUT_MS = 10_000
const CALLS_TIMEOUT_MS = 2_000
const SELF_CHECK_TIMEOUT_MS = 1_000
/** Contract bound of a reload error. */
const MAX_ERROR_CHARS = 1_024

const isView = objectOf<{ storeRevision: string }>({ storeRevision: isStoreRevision })

/** Wires stream, config, resolver, snapshot and reports together. Made by `connect()`. */
export class TributaryClient implements Tributary {
  readonly #settings: Settings
  readonly #diagnostics: Diagnostics
  readonly #transport: Transport
  readonly #replica = new Replica()
  readonly #directory: Directory
  readonly #resolver: Resolver
  readonly #routing: TableRouting
  readonly #messages: RoutedMessages
  readonly #capsules: Capsules
  readonly #callbacks: Callbacks
  readonly #watchers: ResolutionWatchers
  readonly #config: ConfigStore
  readonly #state = new StateHolder()
  readonly #reporter: AppliedReporter
  readonly #observation: CallObservation | undefined
  readonly #probes: ProbeResponder
  readonly #snapshotFile: SnapshotFile | undefined
  readonly #snapshotWriter: SnapshotWriter | undefined
  readonly #stop = new AbortController()
  readonly #registrations = new Set<Registration>()
  readonly #configKey: string
  #gate: StartGate | undefined
  #subscriptionId: string | undefined
  #reloadErrors: readonly string[] = []
  #loop: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(settings: Settings) {
    this.#settings = settings
    this.#configKey = `config/${settings.service ?? '*'}`
    this.#diagnostics = new Diagnostics(settings.onDiagnostic)
    this.#transport = new Transport(settings.url, settings.token)
    this.#directory = new Directory(this.#diagnostics)
    this.#resolver = new Resolver(settings.tenant, this.#directory)
    this.#routing = new TableRouting(settings.tenant, this.#directory)
    const rule = new ConsumerRule(settings.tenant, this.#directory, this.#resolver)
    const { contextKeys: keys, clock, tenant: ownTenant, service, publicUrl } = settings
    const signing = { keys, clock, routing: this.#routing, rule }
    this.#messages = new RoutedMessages(this.#routing, rule)
    this.#capsules = new Capsules(signing)
    this.#callbacks = new Callbacks({ ...signing, ownTenant, service, publicUrl, resolver: this.#resolver })
    this.#watchers = new ResolutionWatchers(this.#resolver, this.#diagnostics)
    this.#config = new ConfigStore({ diagnostics: this.#diagnostics, handlerTimeoutMs: settings.handlerTimeoutMs })
    this.#reporter = new AppliedReporter({
      settle: () => this.#appliedState(),
      send: (state, superseded) => this.#sendReport(state, superseded),
    })
    this.#observation = this.#makeObservation()
    this.#probes = new ProbeResponder({ client: this, keys, clock })
    this.#snapshotFile = snapshotFileOf(settings)
    this.#snapshotWriter = this.#makeSnapshotWriter()
  }

  /** Reads the disk snapshot, when there is a usable one. Call once, before {@link start}. */
  async restoreSnapshot(): Promise<void> {
    if (this.#snapshotFile === undefined) return
    await this.#snapshotFile.removeAbandoned(this.#settings.clock.now())
    const found = await this.#snapshotFile.read()
    if (found.kind === 'absent') return
    const usable = found.kind === 'found' && this.#replica.restore(found.image)
    if (!usable) {
      const reason = found.kind === 'unusable' ? found.reason : 'its content does not have the hash that it names'
      this.#diagnostics.report('snapshot_ignored', `the snapshot ${this.#snapshotFile.path} is not used: ${reason}`)
      return
    }
    for (const channel of ['view', 'routes'] as const) {
      this.#take(channel, [...this.#replica.channels[channel].items.keys()])
    }
    this.#state.set('STALE', 'started from the disk snapshot; connecting')
  }

  /** Opens the stream and keeps it open until {@link close}. Resolves as `connect` says. */
  start(): Promise<void> {
    const { readyTimeoutMs, requireReady } = this.#settings
    this.#gate = new StartGate({ readyTimeoutMs, requireReady, holdsView: this.holdsView })
    const { clock, random, timing } = this.#settings
    const loop = new StreamLoop({
      replica: this.#replica,
      diagnostics: this.#diagnostics,
      clock,
      random,
      timing,
      transport: this.#transport,
      path: this.#streamPath(),
      events: this.#streamEvents(),
      readStoreRevision: (signal) => this.#readStoreRevision(signal),
    })
    this.#observation?.begin()
    this.#loop = loop.run(this.#stop.signal)
    return this.#gate.opened
  }

  get tenant(): string {
    return this.#settings.tenant
  }

  get service(): string | undefined {
    return this.#settings.service
  }

  get instance(): string {
    return this.#settings.instance
  }

  get status(): StateReport {
    return this.#state.report
  }

  get holdsView(): boolean {
    return this.#replica.holdsView
  }

  get appliedRevision(): string | undefined {
    return this.#replica.channels.view.revision?.toString()
  }

  get reloadErrors(): readonly string[] {
    return this.#reloadErrors
  }

  get diagnosticCounts(): Readonly<Partial<Record<DiagnosticCode, number>>> {
    return this.#diagnostics.counts()
  }

  get config(): Config {
    return this.#config
  }

  get routing(): Routing {
    return this.#routing
  }

  get messages(): Messages {
    return this.#messages
  }

  shouldHandle(service: string, tenant: string | undefined): boolean {
    return this.#messages.decide(service, tenant).action === 'take'
  }

  capture(options?: LifetimeOptions): string {
    return this.#capsules.capture(options)
  }

  restore(capsule: string): RestoredContext {
    return this.#capsules.restore(capsule)
  }

  callbackUrl(service: string, path: string, options?: LifetimeOptions): string {
    return this.#callbacks.urlFor(service, path, options)
  }

  receiveCallback(target: string): ReceivedCallback {
    return this.#callbacks.receive(target)
  }

  onStateChange(listener: StateListener): () => void {
    return this.#state.onChange(listener)
  }

  resolve(service: string, options?: ResolveOptions): Resolution {
    return this.#resolver.resolve(service, options, currentTenant())
  }

  pick(service: string, options?: ResolveOptions): Readonly<Endpoint> | undefined {
    return this.#resolver.pick(service, options, currentTenant())
  }

  urlFor(service: string, path: string, options?: ResolveOptions): string {
    const tenant = options?.tenant ?? currentTenant()
    return this.#resolver.urlFor(service, path, tenant === undefined ? options : { ...options, tenant })
  }

  services(options?: Pick<ResolveOptions, 'tenant'>): readonly Resolution[] {
    return this.#resolver.services(options?.tenant)
  }

  onServicesChange(handler: () => void): () => void {
    return this.#watchers.addAny(handler)
  }

  onRoutesChange(handler: () => void): () => void {
    return this.#watchers.addRoutes(handler)
  }

  onResolve(service: string, handler: ResolutionHandler, options?: ResolveOptions): () => void {
    return this.#watchers.add(service, handler, options)
  }

  async register(options: RegisterOptions): Promise<Registration> {
    const { tenant, service, instance, clock, random } = this.#settings
    if (service === undefined) {
      throw sdkError('SDK_OPTIONS_INVALID', 'cannot register: this client has no service; set TRIBUTARY_SERVICE')
    }
    const path = paths.instance(tenant, service, instance)
    const dependencies = { transport: this.#transport, path, diagnostics: this.#diagnostics, clock, random }
    const registration = await Registration.start(options, dependencies, this.#stop.signal)
    for (const former of this.#registrations) if (former.state === 'closed') this.#registrations.delete(former)
    this.#registrations.add(registration)
    return registration
  }

  answerProbe({ headers }: { readonly headers: IncomingHttpHeaders }, response: ProbeResponse): boolean {
    // Nearly every request ends here.
    return headers[PROBE_HEADER] !== undefined && this.#probes.answers(headers, response)
  }

  selfCheck(options: { readonly timeoutMs?: number } = {}): Promise<SelfCheck> {
    const { tenant, service, instance, dependsOn } = this.#settings
    const names = dependsOn ?? this.#resolver.resolvedServices
    const subject = {
      tenant,
      service: service ?? null,
      instance,
      ...this.status,
      appliedRevision: this.appliedRevision ?? null,
      reloadErrors: this.#reloadErrors,
    }
    const resolutions = names.map((name) => this.#resolver.resolve(name))
    return runSelfCheck(subject, resolutions, options.timeoutMs ?? SELF_CHECK_TIMEOUT_MS)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#registrations].map((registration) => registration.close()))
    await this.#observation?.close()
    this.#stop.abort()
    this.#config.close()
    this.#watchers.close()
    await this.#loop
    await this.#snapshotWriter?.close()
    await this.#reporter.idle()
    this.#transport.close()
    this.#probes.close()
    this.#state.set(stateAfter('outage', this.holdsView), 'the client was closed')
  }

  #streamPath(): string {
    const { tenant, service, instance } = this.#settings
    const query = new URLSearchParams({
      channels: 'view,routes',
      instance,
      ...(service === undefined ? {} : { service }),
    })
    return paths.stream(tenant, query)
  }

  #streamEvents(): StreamLoopEvents {
    return {
      onHello: (hello) => this.#onHello(hello),
      onChanged: (channel, keys) => this.#take(channel, keys),
      onProgress: () => this.#onProgress(),
      onInStep: () => this.#onInStep(),
      onEnd: (end) => this.#onEnd(end),
    }
  }

  #onHello(hello: HelloFrame): void {
    this.#subscriptionId = hello.subscriptionId
  }

  #onInStep(): void {
    this.#state.set('READY', 'in step with the config center')
    this.#gate?.decided()
  }

  /** Reports begin when both channels are in step: before, the view may be held without the routes of the same revision. */
  #onProgress(): void {
    void this.#config.settle()
    if (this.#state.report.state === 'READY') this.#reporter.request()
  }

  #onEnd(end: StreamEnd): void {
    this.#subscriptionId = undefined
    const event = end.cause === 'refused' ? 'refused' : 'outage'
    this.#state.set(stateAfter(event, this.holdsView), end.message)
    if (event === 'refused') this.#gate?.decided()
    else this.#gate?.failed()
  }

  /** Takes changed items into the typed directory, the resolver and the config, in this order, so that handlers see all of it. */
  #take(channel: StreamChannel, keys: readonly string[]): void {
    const { items } = this.#replica.channels[channel]
    for (const key of keys) {
      if (channel === 'view') this.#directory.putViewItem(key, items.get(key))
      else this.#directory.putRouteItem(key, items.get(key))
    }
    this.#resolver.invalidate(channel, keys)
    if (channel === 'view' && keys.includes(this.#configKey)) this.#config.replace(items.get(this.#configKey))
    this.#watchers.notify()
    if (channel === 'view' && keys.some((key) => key.startsWith('service/'))) this.#watchers.notifyAny()
    if (channel !== 'view') this.#watchers.notifyRoutes()
    this.#snapshotWriter?.schedule()
  }

  async #appliedState(): Promise<AppliedState | undefined> {
    // A write that changes both channels arrives as two frames, written together: both are applied before it counts as applied.
    await new Promise((resolve) => setImmediate(resolve))
    const revision = this.#replica.newestRevision
    const viewHash = this.#replica.channels.view.hash
    this.#reloadErrors = await this.#config.settle()
    const subscriptionId = this.#subscriptionId
    if (subscriptionId === undefined || revision === undefined) return undefined
    const error = this.#reloadErrors.join('; ').slice(0, MAX_ERROR_CHARS)
    const report = {
      appliedRevision: String(revision),
      ...(viewHash === undefined ? {} : { viewHash }),
      ...(error === '' ? {} : { error }),
    }
    return { subscriptionId, report }
  }

  #sendReport(state: AppliedState, superseded: () => boolean): Promise<boolean> {
    const { clock, random } = this.#settings
    const { signal } = this.#stop
    const diagnostics = this.#diagnostics
    return sendReport(state, { transport: this.#transport, diagnostics, clock, random, signal, superseded })
  }

  async #sendCalls(body: CallsReport): Promise<JsonAnswer | undefined> {
    const subscriptionId = this.#subscriptionId
    if (subscriptionId === undefined) return undefined
    const { signal } = this.#stop
    const path = paths.calls(subscriptionId)
    return this.#transport.requestJson({ method: 'POST', path, body, timeoutMs: CALLS_TIMEOUT_MS, signal })
  }

  /** A linearizable read: what it says is the store's revision, whichever replica answers. */
  async #readStoreRevision(signal: AbortSignal): Promise<bigint | undefined> {
    const { tenant, service } = this.#settings
    const request = { method: 'GET', path: paths.view(tenant, service), timeoutMs: PROBE_TIMEOUT_MS, signal } as const
    const answer = await this.#transport.requestJson(request).catch(() => undefined)
    if (answer?.status !== 200 || !isView(answer.body)) return undefined
    return BigInt(answer.body.storeRevision)
  }

  #makeObservation(): CallObservation | undefined {
    const { service, tenant, observeCalls, callReportMs: reportMs, clock } = this.#settings
    if (service === undefined || !observeCalls) return undefined
    return new CallObservation({
      service,
      tenant,
      routing: this.#routing,
      resolver: this.#resolver,
      diagnostics: this.#diagnostics,
      monotonicMs: () => clock.monotonicMs(),
      reportMs,
      send: (report) => this.#sendCalls(report),
    })
  }

  #makeSnapshotWriter(): SnapshotWriter | undefined {
    if (this.#snapshotFile === undefined) return undefined
    return new SnapshotWriter({
      file: this.#snapshotFile,
      image: () => this.#replica.image(),
      diagnostics: this.#diagnostics,
      delayMs: this.#settings.snapshotDelayMs,
    })
  }
}

function snapshotFileOf(settings: Settings): SnapshotFile | undefined {
  const { snapshotDir, url, tenant, service } = settings
  if (snapshotDir === undefined) return undefined
  return new SnapshotFile(snapshotDir, { serverUrl: url.href, tenant, service: service ?? null })
}
