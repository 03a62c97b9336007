import type { PersonRole } from '@tributary/contract'
import type { RevisionedStore } from '@tributary/store'
import { listJson, putJson, readJson, updateJson } from './json-store.js'
import { stateKeys } from './keys.js'

/** Sessions that are kept at a time; the least used go first. */
export const MAX_SESSIONS = 10_000

/** Who signed in. Of a token only its ciphertext is kept; the key to it follows from the session's secret. */
export type SessionSubject =
  | { readonly by: 'oidc'; readonly name: string; readonly subject: string; readonly role: PersonRole }
  | { readonly by: 'token'; readonly name: string; readonly sealedToken: string }

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

/** Keeps a new session, and forgets those that `isOver` says are, and the least used ones beyond {@link MAX_SESSIONS}. */
export async function keepSession(
  store: RevisionedStore,
  session: { readonly sessionId: string; readonly record: SessionRecord },
  isOver: (record: SessionRecord) => boolean,
): Promise<void> {
  const kept = await listJson<SessionRecord>(store, stateKeys.sessions)
  const live = kept.filter(({ value }) => !isOver(value)).sort((left, right) => left.value.usedAt - right.value.usedAt)
  const surplus = live.slice(0, Math.max(0, live.length + 1 - MAX_SESSIONS))
  await store.transact({ compares: [], mutations: [putJson(stateKeys.session(session.sessionId), session.record)] })
  for (const { key } of [...kept.filter(({ value }) => isOver(value)), ...surplus]) {
    await store.transact({ compares: [], mutations: [{ kind: 'delete', select: { key } }] })
  }
}

/** Notes that a session was used. One that ended meanwhile stays ended. */
export async function touchSession(store: RevisionedStore, sessionId: string, usedAt: number): Promise<void> {
  await updateJson<SessionRecord>(store, stateKeys.session(sessionId), (record) =>
    record.usedAt >= usedAt ? undefined : { value: { ...record, usedAt } },
  )
}

/** Ends a session. Idempotent. */
export async function deleteSession(store: RevisionedStore, sessionId: string): Promise<void> {
  await store.transact({
    compares: [],
    mutations: [{ kind: 'delete', select: { key: stateKeys.session(sessionId) } }],
  })
}
