import type { WriteResult } from '@tributary/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CatalogEdit } from '../domain/edits.js'
import { commitChanges } from '../operations/commit-changes.js'
import { optional } from './optional.js'
import type { RouteDeps } from './route-deps.js'
import type { ThingWriteQuery } from './route-schemas.js'
import { noteOf, writeAnswer } from './write-answer.js'

/** A request that writes one thing, and where its answer goes. */
export interface ThingWrite {
  readonly request: Pick<FastifyRequest, 'principal'> & { readonly query: ThingWriteQuery }
  readonly reply: FastifyReply
}

/** An edit without its precondition, which comes with the query. */
export type BareEdit = CatalogEdit extends infer Edit
  ? Edit extends CatalogEdit
    ? Omit<Edit, 'expectedRevision'>
    : never
  : never

/** Commits one edit under the request's precondition and answers with the write. */
export async function commitOne(deps: RouteDeps, edit: BareEdit, { request, reply }: ThingWrite): Promise<WriteResult> {
  const { query, principal } = request
  const edits: CatalogEdit[] = [{ ...edit, ...optional({ expectedRevision: query.expectedRevision }) }]
  const commit = await commitChanges(deps.context, { edits, principal, note: noteOf(query), schemaMode: query.schema })
  return writeAnswer(deps.convergence, commit, { waitMs: query.waitMs, reply })
}
