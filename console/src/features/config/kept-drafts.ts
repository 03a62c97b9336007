import { session } from '../../api/session.js'
import type { Draft } from './draft.js'
import { isObject } from './leaves.js'

const PREFIX = 'tributary.draft/'
/** Longer texts are not worth the browser's room: leaving the page asks before they are lost. */
const MAX_CHARACTERS = 500_000

/** Keeps what somebody writes for as long as this tab lives: they may look at another page meanwhile, or have to sign in again. */
export function keepDraft(key: string, { text, base, baseRevision }: Draft): void {
  if (text.length > MAX_CHARACTERS) return
  try {
    sessionStorage.setItem(`${PREFIX}${key}`, JSON.stringify({ who: session.peek()?.name, text, base, baseRevision }))
  } catch {
    // The browser has no room, or keeps nothing: what is written stays in the page.
  }
}

/** What the person who is signed in has begun to write; undefined: nothing. */
export function keptDraft(key: string): Draft | undefined {
  const kept = parsed(sessionStorage.getItem(`${PREFIX}${key}`))
  if (!isObject(kept)) return undefined
  const { who, text, base, baseRevision } = kept
  if (who !== session.peek()?.name || typeof text !== 'string' || typeof baseRevision !== 'string') return undefined
  return { text, base, baseRevision, origin: Symbol('kept') }
}

/** Forgets it: it is saved, or nobody wants it any more. */
export function dropDraft(key: string): void {
  sessionStorage.removeItem(`${PREFIX}${key}`)
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
}
