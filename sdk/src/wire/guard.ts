/** Tells whether a value of unknown origin is of a type. */
export type Guard<T> = (value: unknown) => value is T

type OptionalKeys<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T]

/** A guard for each member. */
type Members<T> = { readonly [K in keyof T]-?: Guard<Exclude<T[K], undefined>> }

/** Any text. */
export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** Any whole number. */
export function isInteger(value: unknown): value is number {
  return Number.isInteger(value)
}

/** Any number that JSON can have. */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

/** Anything that is there. */
export function isAnything(value: unknown): value is unknown {
  return value !== undefined
}

/** Text that fits a pattern, which bounds its length. */
export function textLike(pattern: string): Guard<string> {
  const expression = new RegExp(pattern)
  return (value): value is string => typeof value === 'string' && expression.test(value)
}

/** Text of so many characters. */
export function textOf(min: number, max: number): Guard<string> {
  return (value): value is string => typeof value === 'string' && value.length >= min && value.length <= max
}

/** One of a closed set. */
export function oneOf<const T extends string>(...values: readonly T[]): Guard<T> {
  const known: ReadonlySet<unknown> = new Set(values)
  return (value): value is T => known.has(value)
}

/** What the guard takes, or null. */
export function nullOr<T>(guard: Guard<T>): Guard<T | null> {
  return (value): value is T | null => value === null || guard(value)
}

/** A list of such. */
export function listOf<T>(guard: Guard<T>): Guard<T[]> {
  return (value): value is T[] => Array.isArray(value) && value.every((one) => guard(one))
}

/** An object whose members are such, under any names. */
export function mapOf<T>(guard: Guard<T>): Guard<Record<string, T>> {
  return (value): value is Record<string, T> => isObject(value) && Object.values(value).every((one) => guard(one))
}

/** An object with these members. Further ones are allowed: an SDK is often older than the server that it talks to. */
export function objectOf<T>(members: Members<T>, optional: readonly OptionalKeys<T>[] = []): Guard<T> {
  const mayMiss: ReadonlySet<unknown> = new Set(optional)
  const checks = Object.entries<Guard<unknown>>(members).map(
    ([name, guard]) => [name, guard, mayMiss.has(name)] as const,
  )
  return (value): value is T =>
    isObject(value) &&
    checks.every(([name, guard, isOptional]) => (isOptional && value[name] === undefined) || guard(value[name]))
}

/** An object, as JSON means it. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
