import type { ClientState } from '../client-state.js'
import type { Resolution } from '../resolve/resolution.js'
import { reachTcp } from './tcp-reach.js'

/** What was found about one dependency. `reachable`: at least one of its endpoints accepts TCP connections. */
export interface DependencyCheck {
  readonly service: string
  readonly state: Resolution['state']
  readonly owner: string | null
  readonly reason: string
  readonly reachable: boolean
  readonly endpoints: readonly EndpointCheck[]
}

/** One endpoint tried. */
export interface EndpointCheck {
  readonly host: string
  readonly port: number
  readonly reachable: boolean
  readonly elapsedMs: number
  readonly problem?: string
}

/** The self-check of a process. `ok`: a view is held and every dependency is resolved and reachable. */
export interface SelfCheck {
  readonly ok: boolean
  readonly tenant: string
  readonly service: string | null
  readonly instance: string
  readonly state: ClientState
  readonly reason: string
  readonly appliedRevision: string | null
  readonly reloadErrors: readonly string[]
  readonly dependencies: readonly DependencyCheck[]
}

/** What the client says of itself. */
export type SelfCheckSubject = Omit<SelfCheck, 'ok' | 'dependencies'>

/** Tries all dependencies at once. Never rejects. */
export async function runSelfCheck(
  subject: SelfCheckSubject,
  resolutions: readonly Resolution[],
  timeoutMs: number,
): Promise<SelfCheck> {
  const dependencies = await Promise.all(resolutions.map((resolution) => checkDependency(resolution, timeoutMs)))
  const holdsView = subject.appliedRevision !== null
  return { ok: holdsView && dependencies.every(({ reachable }) => reachable), ...subject, dependencies }
}

async function checkDependency(resolution: Resolution, timeoutMs: number): Promise<DependencyCheck> {
  const { service, state, owner, reason } = resolution
  const endpoints = await Promise.all(
    resolution.endpoints.map(async ({ host, port }) => ({ host, port, ...(await reachTcp(host, port, timeoutMs)) })),
  )
  return { service, state, owner, reason, reachable: endpoints.some(({ reachable }) => reachable), endpoints }
}
