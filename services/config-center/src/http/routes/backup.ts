import { Readable } from 'node:stream'
import { sealLines, type StoreKeySource } from '@tributary/store'
import { Type } from 'typebox'
import { exportStore } from '../../transfer/export-store.js'
import type { RouteDeps, TypedApp } from '../route-deps.js'
import { answers } from '../route-schemas.js'

/**
 * `GET /v1/backup`: an export of the store at one revision, while the servers go on, encrypted when the store is. Its last line is a hash of the lines
 * before it, so that an answer that was cut off is not taken for a backup.
 */
export function backupRoute(
  app: TypedApp,
  { store, keys }: Pick<RouteDeps['context'], 'store'> & { readonly keys?: StoreKeySource | undefined },
): void {
  app.get(
    '/v1/backup',
    {
      config: { access: 'back-up' },
      schema: {
        summary: 'Everything in the store at one revision, as lines of JSON, for `tributary store import`',
        description:
          'Holds hashes of tokens. Keys of leases and what belongs to the running replicas are left out. Of an encrypted store it is encrypted under the same key. An answer without its last line, which has a hash of the others, was cut off.',
        response: answers({
          200: { content: { 'application/x-ndjson': { schema: Type.Unsafe<Readable>({ type: 'string' }) } } },
        }),
      },
    },
    async (_request, reply) => {
      const lines = keys === undefined ? exportStore(store) : sealLines(exportStore(store), keys())
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
