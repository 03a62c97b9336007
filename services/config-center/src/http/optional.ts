type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> }

/** The members that are not undefined: `exactOptionalPropertyTypes` tells an absent member from an undefined one. */
export function optional<T extends object>(members: T): Present<T> {
  const present = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(present) as Present<T>
}
