import { createHash } from 'node:crypto'
import { canonicalJson, type JsonSchema } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import { UNCHECKED, UNREACHED, type BrokenRule, type SchemaChecker, type SchemaJob } from '../domain/schema-check.js'
import { failure } from '../errors.js'
import { cpuMs, runBounded } from './bounded-run.js'
import { compileSchema, type CompiledSchema } from './compiled-schema.js'

/** Bounds of a checker, milliseconds (of the process's own time, so that a busy machine refuses nothing) and number; each has a default. */
export interface SchemaCheckLimits {
  /** To compile one schema. Default 500. */
  readonly compileMs: number
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
  readonly hash: string
  known: KnownSchema | undefined
  rules: readonly BrokenRule[] | undefined
}

interface KnownSchema {
  /** Or the reason why there is none. */
  readonly compiled: CompiledSchema | string
  /** Monotonic milliseconds. */
  restsUntilMs: number
}

/**
 * Checks by ajv, in this thread, and never longer than its limits: schemas come from branches of repositories, so they may be built to
 * be slow. A document that could not be checked in time, or whose schema recurses without end, is told as breaking a rule. Equal
 * schemas, of however many tenants, are compiled once.
 */
export class BoundedSchemaChecker implements SchemaChecker {
  readonly #clock: Clock
  readonly #limits: SchemaCheckLimits
  readonly #known = new Map<string, KnownSchema>()
  // Schemas come from catalog records, which are replaced, never changed.
  readonly #hashes = new WeakMap<JsonSchema, string>()

  constructor(clock: Clock, limits: Partial<SchemaCheckLimits> = {}) {
    this.#clock = clock
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
  }

  requireUsable(schema: JsonSchema, { tenant, service }: { readonly tenant: string; readonly service: string }): void {
    const { compiled: reason } = this.#knownOf(this.#hashOf(schema), schema)
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
      const hash = this.#hashOf(job.schema)
      let known = once.get(hash)
      if (known === undefined) once.set(hash, (known = new Map()))
      const task = known.get(job.data) ?? { ...job, hash, known: undefined, rules: undefined }
      known.set(job.data, task)
      return task
    })
    this.#run([...new Set(tasks)])
    return tasks.map(({ rules }) => rules ?? NOT_REACHED)
  }

  /** In slices of time: one in which not even its first task came to an end has found one that is too slow. */
  #run(tasks: readonly Task[]): void {
    const deadline = cpuMs() + this.#limits.totalMs
    // Before the first slice, whose end must not be taken for a schema that takes too long to compile.
    for (const task of tasks) if (cpuMs() < deadline) task.known = this.#knownOf(task.hash, task.schema)
    const position = { next: 0 }
    while (position.next < tasks.length && cpuMs() < deadline) {
      const from = position.next
      const slice = (): void => {
        for (; position.next < tasks.length; position.next += 1) this.#checkOne(tasks[position.next])
      }
      if (runBounded(slice, this.#limits.sliceMs).done || position.next > from) continue
      this.#giveUp(tasks[from])
      position.next = from + 1
    }
  }

  #checkOne(task: Task | undefined): void {
    if (task?.known === undefined) return
    const { compiled, restsUntilMs } = task.known
    // Only a store that was written to by other means holds a schema that is none.
    if (typeof compiled === 'string') task.rules = [unchecked('cannot be checked, because its schema is not usable')]
    else if (restsUntilMs > this.#clock.monotonicMs()) task.rules = [unchecked('takes too long to check')]
    else task.rules = rulesOf(compiled, task.data)
  }

  #giveUp(task: Task | undefined): void {
    if (task?.known === undefined) return
    task.known.restsUntilMs = this.#clock.monotonicMs() + this.#limits.restMs
    task.rules = [unchecked('takes too long to check')]
  }

  #knownOf(hash: string, schema: JsonSchema): KnownSchema {
    const known = this.#known.get(hash) ?? { compiled: this.#compile(schema), restsUntilMs: -Infinity }
    // The least recently used one is first.
    this.#known.delete(hash)
    this.#known.set(hash, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#limits.maxCompiled) break
      this.#known.delete(oldest)
    }
    return known
  }

  #compile(schema: JsonSchema): CompiledSchema | string {
    try {
      const outcome = runBounded(() => compileSchema(schema), this.#limits.compileMs)
      return outcome.done ? outcome.value : 'it takes too long to compile'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }

  #hashOf(schema: JsonSchema): string {
    let hash = this.#hashes.get(schema)
    if (hash === undefined) {
      hash = createHash('sha256').update(canonicalJson(schema), 'utf8').digest('hex')
      this.#hashes.set(schema, hash)
    }
    return hash
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
