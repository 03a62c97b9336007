import type { RevisionedStore } from '@tributary/store'
import { exists, listJson, putJson } from './state/json-store.js'
import { stateKeys } from './state/keys.js'

/** How often at most the use of an environment is written down. What is lost at a crash is less than this. */
const WRITE_MS = 60_000

interface Activity {
  readonly environment: string
  readonly at: number
}

/** When environments were last used through the gateway: in memory for each request, in the store now and then. */
export class ActivityBook {
  readonly #seen = new Map<string, number>()
  readonly #written = new Map<string, number>()

  constructor(private readonly store: RevisionedStore) {}

  /** Reads what an earlier process wrote down. */
  async load(): Promise<void> {
    for (const { value } of await listJson<Activity>(this.store, stateKeys.activities)) {
      this.#written.set(value.environment, value.at)
      this.#see(value.environment, value.at)
    }
  }

  /** Epoch milliseconds; undefined: nothing is known. */
  lastRequestAt(environment: string): number | undefined {
    return this.#seen.get(environment)
  }

  /** Notes a request. Cheap: the gateway calls it for each. */
  note(environment: string, at: number): void {
    this.#see(environment, at)
  }

  /** Writes down what is newer by a minute than what stands there, and forgets environments that are gone. */
  async save(existing: ReadonlySet<string>): Promise<void> {
    for (const [environment, at] of this.#seen) {
      if (!existing.has(environment)) await this.#forget(environment)
      else if (at - (this.#written.get(environment) ?? 0) >= WRITE_MS) await this.#write({ environment, at })
    }
  }

  #see(environment: string, at: number): void {
    this.#seen.set(environment, Math.max(at, this.#seen.get(environment) ?? 0))
  }

  async #write(activity: Activity): Promise<void> {
    const { environment, at } = activity
    // An environment may go at any moment, and its use with it: nothing may be written after that.
    const { succeeded } = await this.store.transact({
      compares: [exists(stateKeys.environment(environment))],
      mutations: [putJson(stateKeys.activity(environment), activity)],
    })
    if (succeeded) this.#written.set(environment, at)
  }

  async #forget(environment: string): Promise<void> {
    const select = { key: stateKeys.activity(environment) }
    await this.store.transact({ compares: [], mutations: [{ kind: 'delete', select }] })
    this.#seen.delete(environment)
    this.#written.delete(environment)
  }
}
