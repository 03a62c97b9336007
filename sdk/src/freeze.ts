/** Freezes parsed JSON with all that is in it, and returns it. Handed-out values are shared, so nobody may change them. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
  return value
}

/** `T` as it is handed out: frozen at all depths, and the compiler says so too. */
export type Immutable<T> = T extends (...parameters: never[]) => unknown
  ? T
  : T extends readonly (infer _Item)[]
    ? { readonly [K in keyof T]: Immutable<T[K]> }
    : T extends object
      ? { readonly [K in keyof T]: Immutable<T[K]> }
      : T
