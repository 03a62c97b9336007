import { isText, objectOf } from '../wire/guard.js'

// The two members of the contract's ErrorBody that people read; proxies in between answer with anything else.
const isErrorBody = objectOf<{ error: { message: string; code: string } }>({
  error: objectOf<{ message: string; code: string }>({ message: isText, code: isText }),
})

/** What the config center says about a refusal, shortened for a reason text; the bare status when it says nothing. */
export function errorMessage(status: number, body: unknown): string {
  if (!isErrorBody(body)) return `HTTP ${status}`
  return `HTTP ${status} ${body.error.code}: ${body.error.message.slice(0, 300)}`
}
