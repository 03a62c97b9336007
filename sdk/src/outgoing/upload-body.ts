import type { Dispatcher } from 'undici'
import { callerNow, resume, type Caller } from './routed-handler.js'

type Body = NonNullable<Dispatcher.DispatchOptions['body']> | null

/** By what streams are asked for their next part, those of node and those of libraries that have copied them. */
const READ = '_read'
interface Readable {
  [READ]: (size: number) => void
}

/**
 * A body that is made while it is sent, made in the context of the code that sends it. undici asks for its parts in the context of whoever
 * opened the connection, or whose answer has made it free, and the calls that a generator makes would be that tenant's. Bodies that are
 * there already stay as they are.
 */
export function uploadBody(body: Body | undefined): Body {
  // What nearly every call has: nothing is made, nothing is asked.
  if (body === null || body === undefined) return null
  if (typeof body !== 'object' || ArrayBuffer.isView(body)) return body
  if (isReadable(body)) readIn(callerNow(), body)
  else if (isAsyncIterable(body)) return iteratedIn(callerNow(), body)
  return body
}

/** undici tells streams by their class and state, so it stays the same object. */
function readIn(caller: Caller, stream: Readable): void {
  const read = stream[READ].bind(stream)
  stream[READ] = (size) => resume(caller, read, size)
}

function iteratedIn(caller: Caller, body: AsyncIterable<unknown>): Body {
  const made: AsyncIterable<unknown> = {
    [Symbol.asyncIterator]: () => {
      const parts = resume(caller, () => body[Symbol.asyncIterator]())
      return {
        next: () => resume(caller, () => parts.next()),
        return: (value?: unknown) => resume(caller, () => parts.return?.(value) ?? ended(value)),
      }
    },
  }
  // undici sends any iterable, which its types leave out.
  return made as unknown as Body
}

function ended(value: unknown): Promise<IteratorReturnResult<unknown>> {
  return Promise.resolve({ done: true, value })
}

function isReadable(body: object): body is Readable {
  return READ in body && typeof body[READ] === 'function'
}

function isAsyncIterable(body: object): body is AsyncIterable<unknown> {
  return Symbol.asyncIterator in body
}
