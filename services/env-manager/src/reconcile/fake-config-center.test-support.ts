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
import type { ConfigCenter } from '../ports/config-center.js'

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

function notFound(code: string, what: string): AppError {
  return new AppError({ kind: 'not_found', code, message: `there is no ${what}` })
}
