import { createHash } from 'node:crypto'
import { canonicalJson, type JsonSchema } from '@tributary/contract'
import { runBounded } from './bounded-run.js'
import { compileSchema, type CompiledSchema } from './compiled-schema.js'
import type { TimeBudget } from './time-budget.js'

/** What is known of a schema. */
export interface KnownSchema {
  /** Or the reason why there is none. */
  readonly compiled: CompiledSchema | string
  /** Monotonic milliseconds. */
  restsUntilMs: number
}

/** Bounds of a cache. */
export interface SchemaCacheLimits {
  /** To compile one schema, milliseconds. */
  readonly compileMs: number
  /** Schemas that are kept; the least recently used go first. */
  readonly maxCompiled: number
}

/** Schemas that were compiled, or could not be, by the hash of their content: equal schemas, of however many tenants, are compiled once. */
export class SchemaCache {
  readonly #limits: SchemaCacheLimits
  readonly #known = new Map<string, KnownSchema>()
  // Schemas come from catalog records, which are replaced, never changed.
  readonly #hashes = new WeakMap<JsonSchema, string>()

  constructor(limits: SchemaCacheLimits) {
    this.#limits = limits
  }

  /** What is known of the schema, which is compiled when nothing is; undefined when the budget does not suffice for that. */
  find(schema: JsonSchema, budget: TimeBudget): KnownSchema | undefined {
    const hash = this.hashOf(schema)
    const known = this.#known.get(hash) ?? this.#compile(schema, budget)
    if (known === undefined) return undefined
    // The least recently used one is first.
    this.#known.delete(hash)
    this.#known.set(hash, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= this.#limits.maxCompiled) break
      this.#known.delete(oldest)
    }
    return known
  }

  /** SHA-256 of the schema's canonical form. */
  hashOf(schema: JsonSchema): string {
    let hash = this.#hashes.get(schema)
    if (hash === undefined) {
      hash = createHash('sha256').update(canonicalJson(schema), 'utf8').digest('hex')
      this.#hashes.set(schema, hash)
    }
    return hash
  }

  #compile(schema: JsonSchema, budget: TimeBudget): KnownSchema | undefined {
    const { compileMs } = this.#limits
    if (budget.leftMs <= 0) return undefined
    return budget.spend((leftMs) => {
      try {
        const outcome = runBounded(() => compileSchema(schema), Math.min(compileMs, leftMs))
        if (outcome.done) return known(outcome.value)
        // Stopped for want of its whole time: with a budget of its own it may well be usable.
        return leftMs < compileMs ? undefined : known('it takes too long to compile')
      } catch (error) {
        return known(error instanceof Error ? error.message : String(error))
      }
    })
  }
}

function known(compiled: KnownSchema['compiled']): KnownSchema {
  return { compiled, restsUntilMs: -Infinity }
}
