import type { EnvironmentRecord } from './environment-record.js'

/** The environments that one lies over, nearest first, as they were registered last. Pure; ends at what is not known, and at a circle. */
export function basesBelow(
  name: string,
  records: ReadonlyMap<string, Pick<EnvironmentRecord, 'base'>>,
): readonly string[] {
  const seen = new Set([name])
  for (let base = records.get(name)?.base ?? null; base !== null; base = records.get(base)?.base ?? null) {
    if (seen.has(base)) break
    seen.add(base)
  }
  return [...seen].slice(1)
}
