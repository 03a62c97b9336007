import { isAppError } from '@tributary/kit'
import { readBootstrapConfig } from './config.js'
import { makeSecret } from './make-secret.js'

try {
  const config = readBootstrapConfig()
  const outcome = await makeSecret(config)
  process.stdout.write(
    `secret ${config.namespace}/${config.secret}: ${outcome === 'made' ? 'made' : 'is there already'}\n`,
  )
} catch (error) {
  process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : String(error)}\n`)
  process.exitCode = 1
}
