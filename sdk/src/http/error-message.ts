import { Type } from 'typebox'
import { Compile } from 'typebox/compile'

// The two members of the contract's ErrorBody that people read; proxies in between answer with anything else.
const errorBody = Compile(Type.Object({ error: Type.Object({ message: Type.String(), code: Type.String() }) }))

/** What the config center says about a refusal, shortened for a reason text; the bare status when it says nothing. */
export function errorMessage(status: number, body: unknown): string {
  if (!errorBody.Check(body)) return `HTTP ${status}`
  return `HTTP ${status} ${body.error.code}: ${body.error.message.slice(0, 300)}`
}
