/** Who wrote a commit, as it says itself: nothing vouches for it. */
export interface CommitAuthor {
  readonly name: string
  /** Empty when the commit names none. */
  readonly email: string
  /** When the commit was made, epoch milliseconds. */
  readonly committedAt: number
}

/** Whose environment it is. It is for finding one's own, never a right: an author is what a commit says. */
export interface Owner {
  readonly name: string
  readonly email: string | null
}

const MAX_LENGTH = 120
/** What cannot be seen, breaks lines or turns the direction of what follows. */
const UNREADABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/**
 * The owner that an environment's head commits tell: the author of the newest of them. Undefined when none of them tells anything readable.
 */
export function ownerOfCommits(authors: readonly CommitAuthor[]): Owner | undefined {
  const newestFirst = [...authors].sort((left, right) => right.committedAt - left.committedAt)
  return newestFirst.map(({ name, email }) => ownerNamed(name, email)).find((owner) => owner !== undefined)
}

/** Reads `Ann Lee`, `ann@example.org` or `Ann Lee <ann@example.org>`. Undefined for a text that holds nothing readable. */
export function parseOwner(text: string): Owner | undefined {
  const [, name, email] = /^([^<>]*)<([^<>]*)>\s*$/u.exec(text) ?? [undefined, text, '']
  const bare = readable(name ?? '')
  const isAddress = email === '' && /^[^\s@]+@[^\s@]+$/u.test(bare)
  return ownerNamed(name ?? '', isAddress ? bare : (email ?? ''))
}

/** Whether somebody who looks for `wanted` means this owner: name, address, or the address before its `@`, whatever the case. */
export function isOwnedBy(owner: Owner | null, wanted: string): boolean {
  if (owner === null) return false
  const { name, email } = owner
  const told = [name, email ?? '', (email ?? '').split('@')[0] ?? '']
  const meant = wanted.trim().toLowerCase()
  return meant !== '' && told.some((one) => one.toLowerCase() === meant)
}

function ownerNamed(name: string, email: string): Owner | undefined {
  const [shownName, shownEmail] = [readable(name), readable(email)]
  if (shownName === '' && shownEmail === '') return undefined
  return { name: shownName === '' ? shownEmail : shownName, email: shownEmail === '' ? null : shownEmail }
}

function readable(text: string): string {
  return Array.from(text.replaceAll(UNREADABLE, ' ').trim()).slice(0, MAX_LENGTH).join('').trim()
}
