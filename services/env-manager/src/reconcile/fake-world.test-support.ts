import { createHash } from 'node:crypto'
import type {
  Change,
  ConfigDocument,
  ConfigSchema,
  Convergence,
  EntrySpec,
  ObservedEdge,
  ObservedLeak,
  ResolvedService,
  ResolvedView,
  ServiceEntry,
  Tenant,
  TenantChanges,
  TenantSpec,
  TokenInfo,
  WriteResult,
} from '@tributary/contract'
import { AppError } from '@tributary/kit'
import type { CommitAuthor } from '../domain/owner.js'
import { failure } from '../errors.js'
import type { ConfigCenter } from '../ports/config-center.js'
import type { EnvironmentRoutes, RequestListener } from '../ports/environment-routes.js'
import type { Platform, PlatformContext, PlatformResource, WorkloadSpec, WorkloadStatus } from '../ports/platform.js'
import type { RepositoryRef, SourceControl } from '../ports/source-control.js'

/** What the platform has made; it outlives any manager, as processes and folders do. */
export class PlatformWorld {
  readonly spaces = new Set<string>()
  readonly workloads = new Map<string, WorkloadStatus>()
  /** Environment variables and secrets that each workload was started with. */
  readonly started = new Map<string, WorkloadSpec>()
  nextPort = 20_000
  /** What holds every space that is to be removed, until it is released. */
  heldBy: string | undefined
  /** Called before a copy is started; may throw or wait. */
  onDeploy: (spec: WorkloadSpec, context: PlatformContext) => Promise<void> = async () => undefined
  /** Says why a copy will never be healthy; undefined: it will. */
  sickness: (spec: WorkloadSpec) => string | undefined = () => undefined
  /** Services whose address callers do not reach although a copy is healthy. */
  readonly unreached = new Map<string, Error>()
  readonly listeners = new Set<(environment: string) => void>()

  /** A copy's health changes on its own. */
  change(environment: string, service: string, change: Partial<WorkloadStatus>): void {
    for (const [id, workload] of this.workloads) {
      if (workload.environment === environment && workload.service === service)
        this.workloads.set(id, { ...workload, ...change })
    }
    for (const listener of this.listeners) listener(environment)
  }

  copiesOf(environment: string): readonly string[] {
    return [...this.workloads.values()]
      .filter((workload) => workload.environment === environment)
      .map(({ service, commitSha }) => `${service}@${commitSha.slice(0, 7)}`)
      .sort()
  }
}

/** A platform whose processes are rows in a {@link PlatformWorld}. */
export function createFakePlatform(world: PlatformWorld): Platform {
  const has = ({ kind, id }: PlatformResource): boolean =>
    kind === 'space' ? world.spaces.has(id) : kind === 'process' ? world.workloads.has(id) : false
  const retire = (environment: string, service: string, keep: string | undefined): void => {
    for (const [id, workload] of world.workloads) {
      if (workload.environment === environment && workload.service === service && id !== keep)
        world.workloads.delete(id)
    }
  }
  return {
    name: 'local',
    capabilities: new Set(['run-from-source']),
    start: async () => undefined,
    ensureSpace: async (environment, _generation, context) => {
      await context.record({ kind: 'space', id: environment, environment })
      world.spaces.add(environment)
    },
    deployWorkload: async (spec, context) => {
      const { environment, generation, service, commitSha, version } = spec
      const workloadId = `${environment}-g${generation}-${service}-${commitSha.slice(0, 12)}`
      const present = world.workloads.get(workloadId)
      if (present !== undefined && present.health !== 'stopped') return present
      await context.record({ kind: 'process', id: workloadId, environment })
      await world.onDeploy(spec, context)
      context.signal.throwIfAborted()
      if (!world.spaces.has(environment)) throw failure('PLATFORM_START_FAILED', `no space for ${environment}`)
      context.log(`starting ${service} with token ${spec.environmentVariables['TRIBUTARY_TOKEN']}`)
      context.log(`context key ${spec.environmentVariables['TRIBUTARY_CONTEXT_KEY']}`)
      const endpoint = { name: 'http', protocol: 'http', host: '127.0.0.1', port: world.nextPort } as const
      world.nextPort += 1
      const made = { workloadId, environment, generation, service, commitSha, version, endpoints: [endpoint] }
      world.workloads.set(workloadId, { ...made, health: 'starting', message: null, restarts: 0, startedAt: 0 })
      world.started.set(workloadId, spec)
      return made
    },
    awaitHealthy: async (workloadId, { signal }) => {
      signal.throwIfAborted()
      const workload = world.workloads.get(workloadId)
      const spec = world.started.get(workloadId)
      if (workload === undefined || spec === undefined) throw failure('PLATFORM_WORKLOAD_NOT_FOUND', `no ${workloadId}`)
      const sick = world.sickness(spec)
      const status: WorkloadStatus = {
        ...workload,
        health: sick === undefined ? 'healthy' : 'unhealthy',
        message: sick ?? null,
      }
      world.workloads.set(workloadId, status)
      if (sick !== undefined) throw failure('PLATFORM_UNHEALTHY', `${workload.service} is not healthy: ${sick}`)
      return status
    },
    retireWorkloads: async ({ environment, service, keepWorkloadId }) => retire(environment, service, keepWorkloadId),
    listWorkloads: async (environment) =>
      [...world.workloads.values()].filter((one) => environment === undefined || one.environment === environment),
    async *watchChanges({ signal }) {
      const pending: string[] = []
      let wake = (): void => undefined
      const listener = (environment: string): void => {
        pending.push(environment)
        wake()
      }
      world.listeners.add(listener)
      signal.addEventListener('abort', () => wake(), { once: true })
      while (!signal.aborted) {
        yield* pending.splice(0)
        await new Promise<void>((resolve) => {
          wake = resolve
          if (pending.length > 0 || signal.aborted) resolve()
        })
      }
      world.listeners.delete(listener)
    },
    async *readLogs({ environment, service }) {
      yield { at: 0, text: `${environment}/${service} says hello` }
    },
    applyServiceNames: async () => undefined,
    openAddresses: (_, publish) => publish(world.unreached),
    watches: () => [],
    locate: async (endpoint) => endpoint,
    releaseFinalizers: async (environment) => {
      const { heldBy } = world
      world.heldBy = undefined
      return heldBy === undefined ? [] : [{ object: `ConfigMap ${environment}/held`, finalizers: [heldBy] }]
    },
    removeSpace: async (environment) => {
      if (world.heldBy !== undefined) throw failure('PLATFORM_STUCK', `${environment} is held by ${world.heldBy}`)
      for (const [id, workload] of world.workloads) if (workload.environment === environment) world.workloads.delete(id)
      world.spaces.delete(environment)
    },
    removeResource: async ({ kind, id }) => {
      if (kind === 'space') world.spaces.delete(id)
      if (kind === 'process') world.workloads.delete(id)
    },
    verifyGone: async (resource) => ({ gone: !has(resource), evidence: `${resource.kind} ${resource.id} looked for` }),
    listResources: async () => [
      ...[...world.spaces].map((id) => ({ kind: 'space', id, environment: id })),
      ...[...world.workloads.values()].map(({ workloadId, environment }) => ({
        kind: 'process',
        id: workloadId,
        environment,
      })),
    ],
    stop: async () => undefined,
  }
}

interface Commit {
  readonly author: CommitAuthor
  readonly files: ReadonlyMap<string, string>
  readonly parent: string | undefined
}

/** A git server in memory: linear histories, real merge bases, answers that can be made wrong. */
export class FakeGit {
  readonly branches = new Map<string, Map<string, string>>()
  readonly #commits = new Map<string, Commit>()
  /** Replaces the answer of `listBranches`, or throws. */
  answer: (repository: string, branches: ReadonlyMap<string, string>) => ReadonlyMap<string, string> = (_, branches) =>
    branches
  listings = 0
  /** Who writes the commits from now on. */
  author = { name: 'Ann Lee', email: 'ann@example.org' }

  /** Commits files (null removes one) onto a branch; a new branch starts at `from`. Resolves to the commit. */
  // oxlint-disable-next-line max-params -- a fixture that tests call on every second line
  commit(repository: string, branch: string, files: Readonly<Record<string, string | null>>, from?: string): string {
    const heads = this.branches.get(repository) ?? new Map<string, string>()
    this.branches.set(repository, heads)
    const parent = heads.get(branch) ?? (from === undefined ? undefined : heads.get(from))
    const tree = new Map(parent === undefined ? [] : this.#commit(parent).files)
    for (const [path, text] of Object.entries(files)) {
      if (text === null) tree.delete(path)
      else tree.set(path, text)
    }
    const sha = createHash('sha1')
      .update(JSON.stringify([repository, parent ?? null, [...tree], this.#commits.size]))
      .digest('hex')
    this.#commits.set(sha, { files: tree, parent, author: { ...this.author, committedAt: this.#commits.size } })
    heads.set(branch, sha)
    return sha
  }

  delete(repository: string, branch: string): void {
    this.branches.get(repository)?.delete(branch)
  }

  headOf(repository: string, branch: string): string {
    const head = this.branches.get(repository)?.get(branch)
    if (head === undefined) throw new Error(`${repository} has no ${branch}`)
    return head
  }

  asSourceControl(): SourceControl {
    return {
      listBranches: async ({ name }, { signal }) => {
        signal.throwIfAborted()
        this.listings += 1
        return new Map(this.answer(name, this.branches.get(name) ?? new Map()))
      },
      ensureCommit: async (_: RepositoryRef, commitSha) => void this.#commit(commitSha),
      changedPaths: async (_, { base, head }) => this.#changed(base, head),
      listFiles: async (_, commitSha) => [...this.#commit(commitSha).files.keys()],
      readFiles: async (_, commitSha, { paths }) => {
        const { files } = this.#commit(commitSha)
        return new Map([...files].filter(([path]) => paths.includes(path)))
      },
      readAuthor: async (_, commitSha) => this.#commit(commitSha).author,
      describeVersion: async (_, commitSha) => `v0.0-${this.#ancestors(commitSha).length}-${commitSha.slice(0, 7)}`,
      ensureCheckout: async () => undefined,
      removeCheckout: async () => undefined,
      listCheckouts: async () => [],
    }
  }

  #commit(sha: string): Commit {
    const commit = this.#commits.get(sha)
    if (commit === undefined) throw failure('GIT_COMMIT_NOT_FOUND', `no commit ${sha}`)
    return commit
  }

  #ancestors(sha: string): readonly string[] {
    const { parent } = this.#commit(sha)
    return [sha, ...(parent === undefined ? [] : this.#ancestors(parent))]
  }

  #changed(base: string, head: string): readonly string[] {
    const below = new Set(this.#ancestors(base))
    const mergeBase = this.#ancestors(head).find((sha) => below.has(sha))
    const before = mergeBase === undefined ? new Map<string, string>() : this.#commit(mergeBase).files
    const after = this.#commit(head).files
    return [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))
  }
}

interface StoredTenant {
  readonly base: string | null
  readonly spec: TenantSpec
  readonly entries: Map<
    string,
    { readonly state: 'present' | 'masked'; readonly spec: EntrySpec; readonly revision: number }
  >
  readonly documents: Map<string, { readonly data: Record<string, unknown>; readonly revision: number }>
  readonly schemas: Map<string, { readonly schema: Record<string, unknown>; readonly revision: number }>
}

/** The config center's rules that the env-manager relies on, in memory. */
export class FakeConfigCenter {
  readonly tenants = new Map<string, StoredTenant>()
  readonly tokens = new Map<string, TokenInfo>()
  /** What processes have reported, by tenant. */
  readonly edges = new Map<string, readonly ObservedEdge[]>()
  leaks: readonly ObservedLeak[] = []
  revision = 0
  /** Thrown by every call while set. */
  outage: AppError | undefined
  readonly #listeners = new Set<(changes: TenantChanges) => void>()

  asConfigCenter(): ConfigCenter {
    const guarded =
      <A extends unknown[], R>(work: (...given: A) => R) =>
      async (...given: A): Promise<R> => {
        if (this.outage !== undefined) throw this.outage
        return work(...given)
      }
    return {
      listTenants: guarded(() => ({
        storeRevision: this.#now(),
        tenants: [...this.tenants.keys()].map((name) => this.#tenant(name)),
      })),
      getTenant: guarded((name: string) => this.#tenant(name)),
      applyTenant: guarded((tenant: string, spec: TenantSpec) => this.#write([{ op: 'apply-tenant', tenant, spec }])),
      deleteTenant: guarded((tenant: string, { dependents }: { readonly dependents?: 'refuse' | 'reparent' } = {}) =>
        this.#write([{ op: 'delete-tenant', tenant, ...(dependents === undefined ? {} : { dependents }) }]),
      ),
      listEntries: guarded((tenant: string) => ({ storeRevision: this.#now(), entries: this.#entries(tenant) })),
      listDocuments: guarded((tenant: string) => ({ storeRevision: this.#now(), documents: this.#documents(tenant) })),
      listSchemas: guarded((tenant: string) => ({ storeRevision: this.#now(), schemas: this.schemas(tenant) })),
      transact: guarded(({ changes }: { readonly changes: Change[] }) => this.#write(changes)),
      getView: guarded((tenant: string) => this.#view(tenant)),
      explain: guarded((tenant: string, { service }: { readonly service: string }) => ({
        tenant,
        service,
        storeRevision: this.#now(),
        result: this.#view(tenant).services[service] ?? null,
        summary: `${service} as ${tenant} sees it`,
        layers: this.#chain(tenant).flatMap((owner) => {
          const entry = this.tenants.get(owner)?.entries.get(service)
          if (entry === undefined) return []
          return [
            {
              tenant: owner,
              source: 'entry',
              revision: String(entry.revision),
              value: entry.spec,
              effect: 'effective' as const,
            },
          ]
        }),
      })),
      getCalls: guarded((tenant: string) => ({
        tenant: this.#tenant(tenant).name,
        storeRevision: this.#now(),
        countedSince: '2026-01-01T00:00:00.000Z',
        edges: [...(this.edges.get(tenant) ?? [])],
        leaks: this.leaks.filter((leak) => leak.tenant === tenant),
      })),
      listLeaks: guarded(() => ({ storeRevision: this.#now(), leaks: [...this.leaks] })),
      convergence: guarded(({ revision }: { readonly revision: string }): Convergence => ({
        storeRevision: revision,
        converged: true,
        affected: 0,
        laggards: [],
      })),
      watchChanges: (signal) => this.#watchChanges(signal),
      createToken: guarded(
        (body: { readonly name: string; readonly role: TokenInfo['role']; readonly tenant?: string }) => {
          const tokenId = `t${this.tokens.size}-${body.name}`
          const info: TokenInfo = { tokenId, ...body, createdAt: '2026-01-01T00:00:00.000Z' }
          this.tokens.set(tokenId, info)
          return { token: `trb_${tokenId}_topsecret`, info }
        },
      ),
      listTokens: guarded(() => ({ storeRevision: this.#now(), tokens: [...this.tokens.values()] })),
      revokeToken: guarded((tokenId: string) => {
        if (!this.tokens.delete(tokenId)) throw notFound('TOKEN_NOT_FOUND', tokenId)
        return undefined
      }),
    }
  }

  /** What a tenant sees, as `service -> owner/commit`. */
  seenBy(tenant: string): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.#view(tenant).services).map(([service, { owner, state, commitSha }]) => [
        service,
        state === 'masked' ? `masked by ${owner}` : `${owner}@${commitSha?.slice(0, 7) ?? '?'}`,
      ]),
    )
  }

  schemas(tenant: string): ConfigSchema[] {
    return [...this.#get(tenant).schemas].map(([service, { schema, revision }]) => {
      return { tenant, service, owner: { tenant }, schema, revision: String(revision) }
    })
  }

  document(tenant: string, service: string): Record<string, unknown> | undefined {
    return this.tenants.get(tenant)?.documents.get(service)?.data
  }

  setDocument(tenant: string, service: string, data: Record<string, unknown>): void {
    this.#write([{ op: 'apply-document', tenant, service, data }])
  }

  #now(): string {
    return String(this.revision)
  }

  #get(name: string): StoredTenant {
    const tenant = this.tenants.get(name)
    if (tenant === undefined) throw notFound('TENANT_NOT_FOUND', name)
    return tenant
  }

  #chain(name: string): string[] {
    const { base } = this.#get(name)
    return [name, ...(base === null ? [] : this.#chain(base))]
  }

  #tenant(name: string): Tenant {
    const { base, spec } = this.#get(name)
    const dependents = [...this.tenants].filter(([, other]) => other.base === name).map(([other]) => other)
    const stage = spec.stage ?? 'development'
    return { name, base, stage, labels: spec.labels ?? {}, chain: this.#chain(name), dependents, revision: this.#now() }
  }

  #entries(tenant: string): ServiceEntry[] {
    return [...this.#get(tenant).entries].map(([service, { state, spec, revision }]) => ({
      tenant,
      service,
      state,
      ...spec,
      instances: [],
      revision: String(revision),
    }))
  }

  #documents(tenant: string): ConfigDocument[] {
    return [...this.#get(tenant).documents].map(([service, { data, revision }]) => ({
      tenant,
      service,
      data,
      revision: String(revision),
    }))
  }

  #view(tenant: string): ResolvedView {
    const services: Record<string, ResolvedService> = {}
    const chain = this.#chain(tenant)
    for (const owner of [...chain].reverse()) {
      for (const [service, { state, spec }] of this.#get(owner).entries) {
        const { endpoints, version, commitSha } = spec
        const own = owner === tenant ? 'own' : 'inherited'
        services[service] = {
          state: state === 'masked' ? 'masked' : own,
          owner,
          endpoints,
          ...(version === undefined ? {} : { version }),
          ...(commitSha === undefined ? {} : { commitSha }),
        }
      }
    }
    return { tenant, service: null, chain, storeRevision: this.#now(), hash: '0'.repeat(64), services, config: {} }
  }

  /** All or nothing: the changes are tried on a copy. */
  #write(changes: readonly Change[]): WriteResult {
    const backup = structuredClone(this.tenants)
    this.revision += 1
    try {
      for (const change of changes) this.#apply(change)
    } catch (error) {
      this.revision -= 1
      this.tenants.clear()
      for (const [name, tenant] of backup) this.tenants.set(name, tenant)
      throw error
    }
    const tenants = [...new Set(changes.map(({ tenant }) => tenant))].sort()
    for (const listener of this.#listeners) listener({ storeRevision: this.#now(), tenants })
    return { storeRevision: this.#now(), changed: true }
  }

  async *#watchChanges(signal: AbortSignal): AsyncIterable<TenantChanges> {
    const waiting: TenantChanges[] = [{ storeRevision: this.#now(), tenants: [] }]
    let wake = (): void => undefined
    const listener = (changes: TenantChanges): void => {
      waiting.push(changes)
      wake()
    }
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => wake(), { once: true })
    while (!signal.aborted && this.outage === undefined) {
      yield* waiting.splice(0)
      await new Promise<void>((resolve) => {
        wake = resolve
        if (waiting.length > 0 || signal.aborted) resolve()
      })
    }
    this.#listeners.delete(listener)
  }

  #apply(change: Change): void {
    const { revision } = this
    switch (change.op) {
      case 'apply-tenant': {
        const base = change.spec.base === undefined ? 'integration' : change.spec.base
        if (base !== null) this.#get(base)
        const before = this.tenants.get(change.tenant)
        this.tenants.set(change.tenant, {
          entries: new Map(),
          documents: new Map(),
          schemas: new Map(),
          ...before,
          base,
          spec: change.spec,
        })
        return
      }
      case 'delete-tenant': {
        const { base } = this.#get(change.tenant)
        for (const [name, tenant] of this.tenants) {
          if (tenant.base !== change.tenant) continue
          if (change.dependents !== 'reparent')
            throw new AppError({ kind: 'failed_precondition', code: 'TENANT_IN_USE', message: name })
          this.tenants.set(name, { ...tenant, base })
        }
        this.tenants.delete(change.tenant)
        return
      }
      case 'apply-entry':
        this.#get(change.tenant).entries.set(change.service, { state: 'present', spec: change.spec, revision })
        return
      case 'mask-entry':
        this.#get(change.tenant).entries.set(change.service, { state: 'masked', spec: { endpoints: [] }, revision })
        return
      case 'delete-entry':
        if (!this.#get(change.tenant).entries.delete(change.service)) throw notFound('ENTRY_NOT_FOUND', change.service)
        return
      case 'apply-document': {
        const { documents } = this.#get(change.tenant)
        const present = String(documents.get(change.service)?.revision ?? 0)
        if (change.expectedRevision !== undefined && change.expectedRevision !== present) {
          throw new AppError({ kind: 'conflict', code: 'REVISION_CONFLICT', message: change.service })
        }
        documents.set(change.service, { data: change.data, revision })
        return
      }
      case 'apply-schema':
        this.#get(change.tenant).schemas.set(change.service, { schema: change.schema, revision })
        return
      case 'delete-schema':
        this.#get(change.tenant).schemas.delete(change.service)
        return
      default:
        throw new Error(`not used by the env-manager: ${change.op}`)
    }
  }
}

/** A gateway that is a set of names. */
export class FakeRoutes implements EnvironmentRoutes {
  readonly served = new Set<string>()
  readonly suspended = new Set<string>()
  readonly listeners = new Set<RequestListener>()
  follow(listener: RequestListener): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  async suspend(environment: string): Promise<void> {
    this.suspended.add(environment)
  }
  resume(environment: string): void {
    this.suspended.delete(environment)
  }
  urlOf(environment: string, service?: string): string {
    return `http://${environment}.localhost:7480/${service === undefined ? '' : `${service}/`}`
  }
  async apply(environment: string): Promise<void> {
    this.served.add(environment)
    this.suspended.delete(environment)
  }
  async remove(environment: string): Promise<void> {
    this.served.delete(environment)
  }
  async verifyGone(environment: string): Promise<{ readonly gone: boolean; readonly evidence: string }> {
    return { gone: !this.served.has(environment), evidence: `the gateway was asked for ${environment}` }
  }
  async list(): Promise<readonly string[]> {
    return [...this.served]
  }
}

function notFound(code: string, what: string): AppError {
  return new AppError({ kind: 'not_found', code, message: `there is no ${what}` })
}
