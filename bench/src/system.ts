import { createConfigCenterClient, type ConfigCenterClient } from '@tributary/client'
import type { Change } from '@tributary/contract'
import { startChild, type Child } from './child.js'

/** Memory after a garbage collection, and processor time since the process began: before that collection and after it. */
export interface Usage {
  readonly rssBytes: number
  readonly cpuMs: number
  readonly cpuMsAfterwards: number
}

/** What the config center's process says when it is ready. */
export interface StartedSystem {
  readonly url: string
  readonly token: string
  readonly readyMs: number
}

/** A config center in another process, ready to be written to. */
export interface BenchSystem {
  readonly url: string
  readonly token: string
  readonly client: ConfigCenterClient
  readonly pid: number
  /** From the start of the process's work to its first answer that it is ready. */
  readonly readyMs: number
  usage(): Promise<Usage>
  stop(): Promise<void>
}

/** Where the config center keeps its data. Default: an embedded store of its own, empty and thrown away. */
export interface SystemStore {
  /** Port of an etcd member on this machine. */
  readonly etcdPort?: number
  /** Folder of an embedded store that stays. */
  readonly folder?: string
}

/** Starts a config center process. */
export async function startSystem(store: SystemStore = {}): Promise<BenchSystem> {
  const child: Child = startChild('./config-center-process.js', import.meta.url)
  const { url, token, readyMs } = await child.ask<StartedSystem>({ start: store })
  return {
    url,
    token,
    readyMs,
    pid: child.pid,
    client: createConfigCenterClient({ baseUrl: url, token }),
    usage: () => child.ask<Usage>({ usage: true }),
    stop: () => child.stop(),
  }
}

/** The most changes that one transaction takes. */
const BATCH = 40

/** Writes many changes, as few transactions as the limits allow. */
export async function load(client: ConfigCenterClient, changes: readonly Change[]): Promise<void> {
  for (let start = 0; start < changes.length; start += BATCH) {
    await client.transact({ changes: changes.slice(start, start + BATCH) })
  }
}

/** A tenant that has `services` of the services `service-0`, `service-1`, …, each with one endpoint. */
export function tenantChanges(tenant: string, base: string | null, services: readonly number[]): Change[] {
  return [
    { op: 'apply-tenant', tenant, spec: { base } },
    ...services.map((index): Change => ({
      op: 'apply-entry',
      tenant,
      service: `service-${index}`,
      spec: {
        endpoints: [{ name: 'http', protocol: 'http', host: '127.0.0.1', port: 10_000 + index }],
        version: 'v1.0-0-abcdef0',
      },
    })),
  ]
}

/** 0, 1, …, count - 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** The request that subscribes to a tenant's view with the config of `service-0`, as bytes on a socket. */
export function streamRequest(system: BenchSystem, tenant: string): string {
  const path = `/v1/tenants/${tenant}/stream?service=service-0`
  return `GET ${path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer ${system.token}\r\n\r\n`
}

/** The port that the config center listens on. */
export function portOf(system: BenchSystem): number {
  return Number(new URL(system.url).port)
}
