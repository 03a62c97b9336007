import type { Permission, SessionInfo, SessionState } from '@tributary/contract'
import { computed, signal } from '@preact/signals'
import { forgetLoaded } from '../data/use-loaded.js'
import { startEvents, stopEvents } from '../data/events.js'
import { t, tWord } from '../i18n/i18n.js'
import { csrfToken, request } from './request.js'

/** Who is signed in, and how one can sign in; undefined until the server has said it. */
export const sessionState = signal<SessionState | undefined>(undefined)
/** Who is signed in. */
export const session = computed<SessionInfo | undefined>(() => sessionState.value?.session ?? undefined)
/** True once somebody who was signed in is not any more, without having asked for it; until somebody signs in. */
export const sessionOver = signal(false)

/** Asks who is signed in. With a session the stream of events is opened. */
export async function readSession(): Promise<void> {
  take(await request<SessionState>({ path: '/v1/session' }))
}

/** Signs in with a token; the server keeps it, the page does not. */
export async function signInWithToken(token: string): Promise<void> {
  take(await request<SessionState>({ method: 'POST', path: '/v1/session', body: { token } }))
}

/** Ends the session on the server, and forgets what the person has begun to write in this tab. */
export async function signOut(): Promise<void> {
  take(await request<SessionState>({ method: 'DELETE', path: '/v1/session' }))
  sessionOver.value = false
  sessionStorage.clear()
}

/** Where signing in by single sign-on begins, so that it ends where the person is now. */
export function oidcAddress(path: string): string {
  return `${path}?returnTo=${encodeURIComponent(`${location.pathname}${location.hash}`)}`
}

/** Why the person may not do it on this thing; undefined: they may. `shared`: a thing that is not of a feature branch alone. */
export function denial(permission: Permission, subject: 'feature' | 'shared'): string | undefined {
  const now = session.value
  if (now === undefined) return t('signIn.title')
  const granted = now.permissions.find((one) => one.permission === permission)
  if (granted?.extent === 'everything' || (granted?.extent === 'features' && subject === 'feature')) return undefined
  const role = tWord(`role.${now.role}`, now.role)
  const needed = granted === undefined ? '' : tWord(`role.${granted.neededRole}`, granted.neededRole)
  return t('action.denied', { role, needed })
}

function take(state: SessionState): void {
  sessionOver.value = state.session === null && (sessionOver.peek() || session.peek() !== undefined)
  sessionState.value = state
  csrfToken.value = state.session?.csrf ?? ''
  if (state.session !== null) return startEvents()
  stopEvents()
  // Whoever signs in next may be somebody else.
  forgetLoaded()
}
