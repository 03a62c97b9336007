import { createContextKey } from '@tributary/contract/context-token'
import { ApiServer } from '../adapters/kubernetes/api-server.js'
import { failure } from '../errors.js'
import { newToken } from '../tokens/token-text.js'
import type { BootstrapConfig } from './config.js'

/** Members of the Secret. */
export const SECRET_KEYS = { adminToken: 'admin-token', contextKey: 'context-key' } as const

/**
 * Makes the Secret with a new admin token and a new context key, unless there is one of the name: that one stays as it is. To be allowed to create
 * is enough; nothing is read, and nothing is shown.
 * @throws AppError `BOOTSTRAP_FAILED`, `WORKLOAD_IDENTITY_UNAVAILABLE` when the API server does not answer
 */
export async function makeSecret({
  api: address,
  namespace,
  secret,
  labels,
}: BootstrapConfig): Promise<'made' | 'there'> {
  const api = new ApiServer(address)
  try {
    const { status } = await api.request({
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/secrets`,
      body: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: secret, labels },
        type: 'Opaque',
        stringData: { [SECRET_KEYS.adminToken]: newToken().token, [SECRET_KEYS.contextKey]: createContextKey() },
      },
    })
    if (status === 409) return 'there'
    if (status === 201) return 'made'
    const advice = status === 403 ? '; allow its ServiceAccount to create secrets there' : ''
    throw failure('BOOTSTRAP_FAILED', `Making the Secret ${namespace}/${secret} was answered with ${status}${advice}.`)
  } finally {
    api.close()
  }
}
