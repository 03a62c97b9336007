import { AppError } from '@tributary/kit'
import { fetch } from 'undici'
import { failure } from '../../errors.js'
import { messageOf } from '../dependencies.js'
import type { FreshCopy, RunContext } from './deploy-context.js'

/** The service has passed its readiness by now; a verification that hangs is a failed one. */
const VERIFY_TIMEOUT_MS = 10_000

/** Runs a definition's HTTP check against its new copy. `VERIFY_FAILED` says what was expected and what came. */
export async function verifyService({ deps, signal }: RunContext, copy: FreshCopy): Promise<string> {
  const check = copy.service.defined.definition.verify?.http
  if (check === undefined) return 'nothing declared'
  const endpoint = copy.workload.endpoints.find((one) => one.protocol === 'http' || one.protocol === 'https')
  const name = copy.service.service
  if (endpoint === undefined) throw failure('VERIFY_FAILED', `Verifying ${name}: it has no HTTP port; declare one`)
  const expected = check.expect ?? 200
  const { protocol, host, port } = await deps.platform.locate(endpoint)
  const url = `${protocol}://${hostOf(host)}:${port}${check.path}`
  const status = await statusOf(url, signal)
  if (status === expected) return `GET ${check.path} answered ${status}`
  const saw = typeof status === 'number' ? `it answered ${status}` : `it failed: ${status}`
  throw failure('VERIFY_FAILED', `Verifying ${name}: GET ${check.path} should answer ${expected}, but ${saw}`)
}

async function statusOf(url: string, signal: AbortSignal): Promise<number | string> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(VERIFY_TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    return response.status
  } catch (error) {
    if (signal.aborted && signal.reason instanceof AppError) throw signal.reason
    return error instanceof Error && error.cause instanceof Error ? messageOf(error.cause) : messageOf(error)
  }
}

function hostOf(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
