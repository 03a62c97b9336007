import { createHash } from 'node:crypto'
import { MAX_ON_BEHALF_OF_LENGTH } from '@tributary/contract'

/** A subject that is longer is told by its hash. */
const MAX_SUBJECT_LENGTH = 64
const UNREADABLE = /[\p{C}\p{Z}]/u

/**
 * What a person is called where only a text is kept: the name, and behind it in parentheses what the provider tells people apart by. Anybody
 * can choose a name; what stands in the last parentheses nobody can.
 */
export function personLabel({ name, subject }: { readonly name: string; readonly subject: string }): string {
  const fits = subject.length <= MAX_SUBJECT_LENGTH && !UNREADABLE.test(subject)
  const id = fits ? subject : `sha256:${createHash('sha256').update(subject, 'utf8').digest('hex').slice(0, 32)}`
  const room = MAX_ON_BEHALF_OF_LENGTH - id.length - ' ()'.length
  // A pair that was cut in two is no text: it could not be said in a header.
  const cut = name
    .slice(0, room)
    .replace(/[\ud800-\udbff]$/, '')
    .trim()
  return cut === '' ? id : `${cut} (${id})`
}
