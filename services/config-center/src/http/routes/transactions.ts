import { TransactionRequest, WriteResult } from '@tributary/contract'
import { commitChanges } from '../../operations/commit-changes.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers, strictObject, writeQuery } from '../route-schemas.js'
import { noteOf, writeAnswer } from '../write-answer.js'

/** `/v1/transactions`: several changes at one store revision, or none of them. */
export function transactionRoutes(app: TypedApp, { context, convergence }: RouteDeps): void {
  app.post(
    '/v1/transactions',
    {
      config: { access: 'write' },
      schema: {
        summary: 'Make several changes at one store revision',
        querystring: strictObject(writeQuery),
        body: TransactionRequest,
        response: answers({ 200: WriteResult }),
      },
    },
    async ({ body, query, principal }, reply) => {
      const note = { ...body.note, ...noteOf(query) }
      const commit = await commitChanges(context, { edits: body.changes, principal, note, schemaMode: query.schema })
      return writeAnswer(convergence, commit, { waitMs: query.waitMs, reply })
    },
  )
}
