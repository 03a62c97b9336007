import type { JsonSchema } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import {
  UNCHECKED,
  UNREACHED,
  type BrokenRule,
  type SchemaChecker,
  type SchemaCheckers,
  type SchemaJob,
} from '../domain/schema-check.js'
import { failure } from '../errors.js'
import { runBounded } from './bounded-run.js'
import type { CompiledSchema } from './compiled-schema.js'
import { SchemaCache, type KnownSchema } from './schema-cache.js'
import { TimeBudget } from './time-budget.js'

/** Bounds of a checker, milliseconds (of the process's own time, so that a busy machine refuses nothing) and number; each has a default. */
export interface SchemaCheckLimits {
  /** To compile one schema. Default 500. */
  readonly compileMs: number
  /** To compile all schemas of one write that are not known yet. Default 1,000. */
  readonly totalCompileMs: number
  /** One slice of time; a document that takes longer is given up. Default 50. */
  readonly sliceMs: number
  /** For all documents of one write together; those that are left then are not checked. Default 1,000. */
  readonly totalMs: number
  /** How long a schema that was too slow is not tried again. Default 30,000. */
  readonly restMs: number
  /** Compiled schemas that are kept. Default 500. */
  readonly maxCompiled: number
}

const DEFAULT_LIMITS: SchemaCheckLimits = {
  compileMs: 500,
  totalCompileMs: 1_000,
  sliceMs: 50,
  totalMs: 1_000,
  restMs: 30_000,
  maxCompiled: 500,
}

/** What is told of a document for which there was no time left. */
const NOT_REACHED: readonly BrokenRule[] = [
  { path: [], keyword: UNREACHED, rule: 'could not be checked, because there was no time left' },
]

/** One document by one schema, however many views have it. `rules`: undefined until it has been checked. */
interface Task extends SchemaJob {
  known: KnownSchema | undefined
  rules: readonly BrokenRule[] | undefined
}

/**
 * Checks by ajv, in this thread, and never longer than its limits: schemas come from branches of repositories, so they may be built to
 * be slow. A document that could not be checked in time, or whose schema recurses without end, is told as breaking a rule.
 */
export class BoundedSchemaChecker implements SchemaCheckers {
  readonly #clock: Clock
  readonly #limits: SchemaCheckLimits
  readonly #cache: SchemaCache

  constructor(clock: Clock, limits: Partial<SchemaCheckLimits> = {}) {
    this.#clock = clock
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#cache = new SchemaCache(this.#limits)
  }

  forWrite(): SchemaChecker {
    return new CheckOfOneWrite({ clock: this.#clock, limits: this.#limits, cache: this.#cache })
  }
}

interface CheckParts {
  readonly clock: Clock
  readonly limits: SchemaCheckLimits
  readonly cache: SchemaCache
}

class CheckOfOneWrite implements SchemaChecker {
  readonly #parts: CheckParts
  readonly #compiling: TimeBudget
  readonly #checking: TimeBudget

  constructor(parts: CheckParts) {
    this.#parts = parts
    this.#compiling = new TimeBudget(parts.limits.totalCompileMs)
    this.#checking = new TimeBudget(parts.limits.totalMs)
  }

  requireUsable(schema: JsonSchema, { tenant, service }: { readonly tenant: string; readonly service: string }): void {
    const known = this.#parts.cache.find(schema, this.#compiling)
    if (known === undefined) {
      throw failure(
        'SCHEMA_TIME_SPENT',
        `The schema of ${service} in ${tenant} was not looked at, nothing is stored: the schemas before it took the ${this.#parts.limits.totalCompileMs} ms that one write has to compile new ones. Send it again, those are known now, or in smaller parts.`,
        { details: { tenant, service }, retryable: true },
      )
    }
    const { compiled: reason } = known
    if (typeof reason !== 'string') return
    throw failure(
      'SCHEMA_INVALID',
      `The schema of ${service} in ${tenant} cannot be used, nothing is stored: ${reason}. Correct it.`,
      { details: { tenant, service, reason } },
    )
  }

  check(jobs: readonly SchemaJob[]): readonly (readonly BrokenRule[])[] {
    const once = new Map<string, Map<object, Task>>()
    const tasks = jobs.map((job): Task => {
      const hash = this.#parts.cache.hashOf(job.schema)
      let known = once.get(hash)
      if (known === undefined) once.set(hash, (known = new Map()))
      const task = known.get(job.data) ?? { ...job, known: undefined, rules: undefined }
      known.set(job.data, task)
      return task
    })
    this.#run([...new Set(tasks)])
    return tasks.map(({ rules }) => rules ?? NOT_REACHED)
  }

  /** In slices of time: one in which not even its first task came to an end has found one that is too slow. */
  #run(tasks: readonly Task[]): void {
    // Before the first slice, whose end must not be taken for a schema that takes too long to compile.
    for (const task of tasks) task.known = this.#parts.cache.find(task.schema, this.#compiling)
    const position = { next: 0 }
    while (position.next < tasks.length && this.#checking.leftMs > 0) {
      const from = position.next
      const slice = (): void => {
        for (; position.next < tasks.length; position.next += 1) this.#checkOne(tasks[position.next])
      }
      const { done } = this.#checking.spend(() => runBounded(slice, this.#parts.limits.sliceMs))
      if (done || position.next > from) continue
      this.#giveUp(tasks[from])
      position.next = from + 1
    }
  }

  #checkOne(task: Task | undefined): void {
    if (task?.known === undefined) return
    const { compiled, restsUntilMs } = task.known
    // Only a store that was written to by other means holds a schema that is none.
    if (typeof compiled === 'string') task.rules = [unchecked('cannot be checked, because its schema is not usable')]
    else if (restsUntilMs > this.#parts.clock.monotonicMs()) task.rules = [unchecked('takes too long to check')]
    else task.rules = rulesOf(compiled, task.data)
  }

  #giveUp(task: Task | undefined): void {
    if (task?.known === undefined) return
    task.known.restsUntilMs = this.#parts.clock.monotonicMs() + this.#parts.limits.restMs
    task.rules = [unchecked('takes too long to check')]
  }
}

function rulesOf(compiled: CompiledSchema, data: unknown): readonly BrokenRule[] {
  try {
    return compiled(data)
  } catch (error) {
    if (error instanceof RangeError) return [unchecked('cannot be checked, because its schema recurses without end')]
    throw error
  }
}

function unchecked(rule: string): BrokenRule {
  return { path: [], keyword: UNCHECKED, rule }
}
