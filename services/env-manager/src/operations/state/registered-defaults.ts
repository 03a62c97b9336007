import type { Mutation, RevisionedStore } from '@tributary/store'
import { putJson, readJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** A service's `config.defaults` as they were registered last: the definition's, and what of them went into the tenant's document. */
export interface RegisteredDefaults {
  readonly defaults: Readonly<Record<string, unknown>>
  readonly document: Readonly<Record<string, unknown>>
}

/** Undefined when the environment never registered defaults of the service. */
export async function findRegisteredDefaults(
  store: RevisionedStore,
  environment: string,
  service: string,
): Promise<RegisteredDefaults | undefined> {
  return (await readJson<RegisteredDefaults>(store, stateKeys.defaults(environment, service)))?.value
}

/** Remembers what was registered. */
export function putRegisteredDefaults(environment: string, service: string, registered: RegisteredDefaults): Mutation {
  return putJson(stateKeys.defaults(environment, service), registered)
}
