import { storeError } from '../errors.js'
import { EtcdConnection } from './etcd-connection.js'
import { ETCD } from './etcd-methods.js'
import type { ResolvedEtcdOptions } from './etcd-options.js'
import { EtcdRevisionedStore } from './etcd-revisioned-store.js'
import { openEtcdValues } from './etcd-values.js'
import { touchHead } from './etcd-transaction.js'
import { KeySpace } from './key-space.js'

/** Compares of a prefix and nested transactions exist since 3.3, fragments of a watch since 3.4; an older etcd would ignore them. */
const OLDEST = { major: 3, minor: 4 }

/** As `openEtcdStore`, with options that are checked already. */
export async function connectEtcdStore(options: ResolvedEtcdOptions): Promise<EtcdRevisionedStore> {
  const connection = new EtcdConnection(options)
  try {
    await checkVersion(connection)
    const keys = new KeySpace(options.prefix)
    await ensureHead(connection, keys)
    const values = await openEtcdValues(connection, keys, options.keys)
    return new EtcdRevisionedStore({ connection, values }, options)
  } catch (error) {
    connection.close()
    throw error
  }
}

/** Reads first: an etcd whose quota is used up refuses every transaction with a put in it, even one that would not be carried out. */
async function ensureHead(connection: EtcdConnection, keys: KeySpace): Promise<void> {
  const call = { attempt: 'open the etcd store', repeatable: true }
  const { kvs } = await connection.unary(ETCD.range, { key: keys.head }, call)
  // 0 is "was never put": when two open the store at once, one of them writes.
  if (kvs.length === 0) await connection.unary(ETCD.txn, touchHead(keys, 0n), call)
}

async function checkVersion(connection: EtcdConnection): Promise<void> {
  const { version } = await connection.unary(ETCD.status, {}, { attempt: 'open the etcd store', repeatable: true })
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return
  throw storeError(
    'STORE_VERSION_UNSUPPORTED',
    `could not open the etcd store: etcd ${version} is older than ${OLDEST.major}.${OLDEST.minor}; upgrade it`,
  )
}
