import type { EntrySpec } from '@tributary/contract'
import { DECLARED_INSTANCE } from './keys.js'
import type { EntryRecord, RegistrationRecord } from './records.js'

/** Which entry the registrations belong to. */
interface EntryName {
  readonly tenant: string
  readonly service: string
}

/** What an entry's registrations make together; undefined when there are none. */
export function entryRecord(
  { tenant, service }: EntryName,
  registrations: ReadonlyMap<string, RegistrationRecord>,
): EntryRecord | undefined {
  const declared = registrations.get(DECLARED_INSTANCE)
  const instances = [...registrations.keys()].filter((instance) => instance !== DECLARED_INSTANCE).sort()
  const ordered = [declared, ...instances.map((instance) => registrations.get(instance))].filter(isPresent)
  const newest = ordered.reduce<RegistrationRecord | undefined>(newer, undefined)
  if (newest === undefined) return undefined
  const base = { tenant, service, revision: newest.revision, stamp: newest.stored.stamp }
  if (declared?.stored.state === 'masked') return { ...base, state: 'masked', endpoints: [], instances: [] }
  const specs = ordered.flatMap(({ stored }) => (stored.state === 'present' ? [stored.spec] : []))
  return {
    ...base,
    state: 'present',
    endpoints: specs.flatMap((spec) => spec.endpoints),
    ...descriptionOf(specs),
    instances,
  }
}

/** Version, commit and metadata are the first registration's, whole: those of two copies are never mixed. */
function descriptionOf([first]: readonly EntrySpec[]): Pick<EntryRecord, 'version' | 'commitSha' | 'metadata'> {
  if (first === undefined) return {}
  const { version, commitSha, metadata } = first
  return {
    ...(version === undefined ? {} : { version }),
    ...(commitSha === undefined ? {} : { commitSha }),
    ...(metadata === undefined ? {} : { metadata }),
  }
}

function newer(newest: RegistrationRecord | undefined, item: RegistrationRecord): RegistrationRecord {
  return newest === undefined || item.revision > newest.revision ? item : newest
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined
}
