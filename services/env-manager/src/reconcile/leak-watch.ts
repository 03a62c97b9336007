import type { ObservedLeak } from '@tributary/contract'
import { setCondition } from '../domain/conditions.js'
import { CONTEXT_PROPAGATED, contextFinding } from '../domain/context-condition.js'
import type { EnvironmentRecord } from '../domain/environment-record.js'
import type { EnvironmentDependencies } from '../operations/dependencies.js'
import { listEnvironments, updateEnvironment } from '../operations/state/environments.js'

/** A leak that was not seen again for this long is over. */
const MAX_LEAK_AGE_SECONDS = 600

type LeakDependencies = Pick<EnvironmentDependencies, 'store' | 'configCenter' | 'clock'>

/** Keeps the condition `ContextPropagated` of every environment as the config center's leaks say, with one question for all of them. */
export class LeakWatch {
  /** Environments that bear the condition as False; undefined before the first look, when only their records know. */
  #leaking: Set<string> | undefined

  constructor(private readonly deps: LeakDependencies) {}

  /** One look. Rejects when the config center or the store does not answer. */
  async look(): Promise<void> {
    const { leaks } = await this.deps.configCenter.listLeaks({ maxAgeSeconds: MAX_LEAK_AGE_SECONDS })
    this.#leaking ??= await this.#recorded()
    const named = leaks.flatMap(({ tenant }) => (tenant === null ? [] : [tenant]))
    for (const name of new Set([...this.#leaking, ...named])) {
      await this.#note(
        name,
        leaks.filter(({ tenant }) => tenant === name),
      )
    }
  }

  async #note(name: string, leaks: readonly ObservedLeak[]): Promise<void> {
    await updateEnvironment(this.deps.store, name, (record) => this.#noted(record, leaks))
    if (leaks.length > 0) this.#leaking?.add(name)
    else this.#leaking?.delete(name)
  }

  #noted(record: EnvironmentRecord, leaks: readonly ObservedLeak[]): EnvironmentRecord {
    const before = record.conditions.find(({ type }) => type === CONTEXT_PROPAGATED)
    const finding = contextFinding(leaks, before)
    if (finding === undefined) return record
    if (finding.status === before?.status && finding.message === before.message) return record
    const context = { now: this.deps.clock.now(), generation: record.generation }
    return { ...record, conditions: [...setCondition(record.conditions, finding, context)] }
  }

  async #recorded(): Promise<Set<string>> {
    const records = await listEnvironments(this.deps.store)
    const isLeaking = ({ conditions }: EnvironmentRecord): boolean =>
      conditions.some(({ type, status }) => type === CONTEXT_PROPAGATED && status === 'False')
    return new Set(records.filter(isLeaking).map(({ name }) => name))
  }
}
