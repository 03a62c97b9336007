import { createHash } from 'node:crypto'
import { canonicalJson, type JsonSchema } from '@tributary/contract'
import type { Clock } from '@tributary/kit'
import { UNCHECKED, type BrokenRule, type SchemaChecker, type SchemaJob } from '../domain/schema-check.js'
import { failure } from '../errors.js'
import { runBounded } from './bounded-run.js'
import { compileSchema, type CompiledSchema } from './compiled-schema.js'

/** Bounds of a checker, milliseconds and number; each has a default. */
export interface SchemaCheckLimits {
  /** To compile one schema. Default 500. */
  readonly compileMs: number
  /** To check one document. Default 100. */
  readonly jobMs: number
  /** For all documents of one write together. Default 500. */
  readonly totalMs: number
  /** How long a schema that was too slow is not tried again. Default 30,000. */
  readonly restMs: number
  /** Compiled schemas that are kept. Default 500. */
  readonly maxCompiled: number
}

const DEFAULT_LIMITS: SchemaCheckLimits = { compileMs: 500, jobMs: 100, totalMs: 500, restMs: 30_000, maxCompiled: 500 }

const NO_RULES: readonly BrokenRule[] = []

interface KnownSchema {
  /** Or the reason why there is none. */
  readonly compiled: CompiledSchema | string
  restsUntil: number
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
    const results: (readonly BrokenRule[])[] = []
    const once = new Map<string, Map<object, readonly BrokenRule[]>>()
    const startedAt = performance.now()
    for (const job of jobs) {
      const hash = this.#hashOf(job.schema)
      let checked = once.get(hash)
      if (checked === undefined) once.set(hash, (checked = new Map()))
      const leftMs = this.#limits.totalMs - (performance.now() - startedAt)
      const rules = checked.get(job.data) ?? this.#checkOne(hash, job, leftMs)
      checked.set(job.data, rules)
      results.push(rules)
    }
    return results
  }

  #checkOne(hash: string, { schema, data }: SchemaJob, leftMs: number): readonly BrokenRule[] {
    if (leftMs <= 0) return [unchecked('there was no time left to check it')]
    const known = this.#knownOf(hash, schema)
    const { compiled } = known
    // Only a store that was written to by other means holds such a schema.
    if (typeof compiled === 'string') return [unchecked('cannot be checked, because its schema is not usable')]
    if (known.restsUntil > this.#clock.now()) return [unchecked('takes too long to check')]
    try {
      const outcome = runBounded(() => compiled(data), Math.min(this.#limits.jobMs, leftMs))
      if (outcome.done) return outcome.value.length === 0 ? NO_RULES : outcome.value
      known.restsUntil = this.#clock.now() + this.#limits.restMs
      return [unchecked('takes too long to check')]
    } catch (error) {
      if (error instanceof RangeError) return [unchecked('cannot be checked, because its schema recurses without end')]
      throw error
    }
  }

  #knownOf(hash: string, schema: JsonSchema): KnownSchema {
    const known = this.#known.get(hash) ?? { compiled: this.#compile(schema), restsUntil: 0 }
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

function unchecked(rule: string): BrokenRule {
  return { path: [], keyword: UNCHECKED, rule }
}
