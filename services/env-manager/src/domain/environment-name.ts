import { createHash } from 'node:crypto'
import { STAGES } from '@tributary/contract'

/** The longest environment name: what fits a DNS label together with the longest service suffix. */
export const MAX_ENVIRONMENT_NAME_LENGTH = 40
const CUT_LENGTH = 33
const SHORTEST_HASH = 6
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'
const RESERVED = new Set<string>([...STAGES, 'default', 'tributary', 'localhost', 'www', 'api', 'console', 'gateway'])

/**
 * True for names that no branch gets as they are: the stages (`integration` among them), `default`, `kube-*`, and the
 * platform's own (`tributary`, `tributary-*` and what its gateway answers itself).
 */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name) || name === 'kube' || name.startsWith('kube-') || name.startsWith('tributary-')
}

/** Lower-case, every other run of characters one `-`, trimmed. May be empty or too long. */
export function slugOf(branch: string): string {
  return branch
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}

/**
 * The environment name of a branch (docs/adr/0005): its slug when that is free, not reserved, not empty and short enough;
 * otherwise the slug cut to 33 and a hash of the full branch name, of 6 base32 characters or more while that is taken too.
 * Deterministic in (`branch`, the answers of `isTaken`). `isTaken` says whether another branch has a name.
 */
export function environmentNameOf(branch: string, isTaken: (name: string) => boolean): string {
  const slug = slugOf(branch)
  if (slug !== '' && slug.length <= MAX_ENVIRONMENT_NAME_LENGTH && !isReservedName(slug) && !isTaken(slug)) return slug
  const hash = base32Of(branch)
  for (let length = SHORTEST_HASH; length < MAX_ENVIRONMENT_NAME_LENGTH; length += 1) {
    const name = withHash(slug, hash.slice(0, length))
    if (!isTaken(name) && !isReservedName(name)) return name
  }
  // 39 base32 characters are 195 bits of SHA-256: reached only when a caller says that everything is taken.
  throw new RangeError(`no free environment name for branch ${JSON.stringify(branch)}`)
}

function withHash(slug: string, hash: string): string {
  const room = Math.min(CUT_LENGTH, MAX_ENVIRONMENT_NAME_LENGTH - hash.length - 1)
  const head = (slug === '' ? 'branch' : slug).slice(0, room).replace(/-+$/, '')
  const named = isReservedName(`${head}-${hash}`) ? `b-${head}`.slice(0, room).replace(/-+$/, '') : head
  return named === '' ? hash : `${named}-${hash}`
}

function base32Of(branch: string): string {
  let bits = 0n
  for (const byte of createHash('sha256').update(branch, 'utf8').digest()) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let shift = 251n; shift >= 0n; shift -= 5n) text += BASE32[Number((bits >> shift) & 31n)]
  return text
}
