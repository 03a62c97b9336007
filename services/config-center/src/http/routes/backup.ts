import { Readable } from 'node:stream'
import { Type } from 'typebox'
import { exportStore } from '../../transfer/export-store.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers } from '../route-schemas.js'

/**
 * `GET /v1/backup`: an export of the store at one revision, while the servers go on. Its last line is a hash of the lines before it, so
 * that an answer that was cut off is not taken for a backup.
 */
export function backupRoute(app: TypedApp, { store }: Pick<RouteDeps['context'], 'store'>): void {
  app.get(
    '/v1/backup',
    {
      config: { access: 'back-up' },
      schema: {
        summary: 'Everything in the store at one revision, as lines of JSON, for `tributary store import`',
        description:
          'Holds hashes of tokens. Keys of leases and what belongs to the running replicas are left out. An answer without its last line, {"keys":…,"contentHash":…}, was cut off.',
        response: answers({
          200: { content: { 'application/x-ndjson': { schema: Type.Unsafe<Readable>({ type: 'string' }) } } },
        }),
      },
    },
    async (_request, reply) => {
      const lines = exportStore(store)
      // A store that does not answer is told as an error; later the body can only be cut off.
      const first = await lines.next()
      const body = Readable.from(textOf(first.done === true ? '' : first.value, lines))
      return reply.type('application/x-ndjson').send(body)
    },
  )
}

async function* textOf(first: string, others: AsyncIterable<string>): AsyncGenerator<string> {
  yield `${first}\n`
  for await (const line of others) yield `${line}\n`
}
