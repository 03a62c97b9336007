import { loadOpenTelemetry } from './context/open-telemetry.js'
import { sdkError } from './errors.js'
import { completeOptions, type ConnectOptions } from './config.js'
import type { Tributary } from './tributary.js'
import { TributaryClient } from './tributary-client.js'

/**
 * Connects to the config center with the settings that the environment gives (`TRIBUTARY_URL`, `TRIBUTARY_TENANT`,
 * `TRIBUTARY_TOKEN`, `TRIBUTARY_SERVICE`, `TRIBUTARY_INSTANCE`, `TRIBUTARY_SNAPSHOT_DIR`), options first. The client is usable
 * at once and keeps itself up to date until `close()`.
 *
 * | config center | disk snapshot | resolves |
 * | --- | --- | --- |
 * | answers | - | READY, as soon as the live view is there |
 * | is down | there is one | STALE, after the first failed attempt or one second |
 * | is down | none | NOT_READY, after `readyTimeoutMs`; goes on trying |
 * | refuses (401, 403, 404) | - | ERROR with the reason, at once; goes on trying slowly |
 *
 * @throws AppError `SDK_OPTIONS_INVALID`; with `require: 'ready'` also `SDK_NOT_READY`, after which nothing is left open
 */
export async function connect(options: ConnectOptions = {}): Promise<Tributary> {
  const settings = completeOptions(options)
  await loadOpenTelemetry()
  const client = new TributaryClient(settings)
  await client.restoreSnapshot()
  await client.start()
  const { state, reason } = client.status
  if (!settings.requireReady || state === 'READY') return client
  await client.close()
  const attempt = `cannot get the view of ${settings.tenant} from ${settings.url.origin}`
  throw sdkError('SDK_NOT_READY', `${attempt}: ${reason}; check the config center, TRIBUTARY_URL and TRIBUTARY_TOKEN`)
}
