import type { PersonRole } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { surplusSessions } from '../../domain/session-limits.js'
import { listJson, putJson, readJson, updateJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** A person whom a provider vouched for. */
export interface PersonSubject {
  readonly by: 'oidc'
  readonly name: string
  /** The provider's `sub`. */
  readonly subject: string
  readonly role: PersonRole
  /** When the provider gave the role. */
  readonly roleCheckedAt: number
  /** By which the provider is asked again; absent: it cannot be. */
  readonly sealedRefreshToken?: string
}

/** Whoever has a token of the config center. */
export interface TokenSubject {
  readonly by: 'token'
  readonly name: string
  readonly tokenId: string
  readonly sealedToken: string
}

/** Who signed in. Of a token only its ciphertext is kept; the key to it follows from the session's secret. */
export type SessionSubject = PersonSubject | TokenSubject

/** A session as it is kept under the hash of its secret. Instants are epoch milliseconds. */
export interface SessionRecord {
  readonly subject: SessionSubject
  readonly createdAt: number
  readonly usedAt: number
  readonly expiresAt: number
}

/** The session of this id; undefined when there is none. It may be over. */
export async function findSession(store: RevisionedStore, sessionId: string): Promise<SessionRecord | undefined> {
  return (await readJson<SessionRecord>(store, stateKeys.session(sessionId)))?.value
}

/** Keeps a new session, and forgets those that `isOver` says are, and those beyond the limits of `domain/session-limits.ts`. */
export async function keepSession(
  store: RevisionedStore,
  session: { readonly sessionId: string; readonly record: SessionRecord },
  isOver: (record: SessionRecord) => boolean,
): Promise<void> {
  const kept = await listJson<SessionRecord>(store, stateKeys.sessions)
  const over = kept.filter(({ value }) => isOver(value)).map(({ key }) => key)
  const live = kept
    .filter(({ value }) => !isOver(value))
    .map(({ key, value: { subject, usedAt } }) => ({ key, holder: holderOf(subject), usedAt }))
  await store.transact({ compares: [], mutations: [putJson(stateKeys.session(session.sessionId), session.record)] })
  for (const key of [...over, ...surplusSessions(live, holderOf(session.record.subject))]) {
    await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key } }] })
  }
}

/** Notes that a session was used. One that ended meanwhile stays ended. */
export async function touchSession(store: RevisionedStore, sessionId: string, usedAt: number): Promise<void> {
  await updateJson<SessionRecord>(store, stateKeys.session(sessionId), (record) =>
    record.usedAt >= usedAt ? undefined : { value: { ...record, usedAt } },
  )
}

/** Notes what the provider says of the person now; false when the session ended meanwhile. */
export async function renewSubject(
  store: RevisionedStore,
  sessionId: string,
  subject: PersonSubject,
): Promise<boolean> {
  const renewed = await updateJson<SessionRecord>(store, stateKeys.session(sessionId), (record) => ({
    value: { ...record, subject },
  }))
  return renewed !== undefined
}

/** Ends a session. Idempotent. */
export async function deleteSession(store: RevisionedStore, sessionId: string): Promise<void> {
  await store.transact({
    compares: [],
    mutations: [{ kind: 'delete', select: { key: stateKeys.session(sessionId) } }],
  })
}

/** Names may be equal; these are not. */
function holderOf(subject: SessionSubject): string {
  return subject.by === 'oidc' ? `person ${subject.subject}` : `token ${subject.tokenId}`
}
