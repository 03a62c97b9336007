import { isAppError } from '@tributary/kit'
import Fastify from 'fastify'
import { readGatewayConfig } from './config.js'
import { startGateway } from './start-gateway.js'

/** Runs until SIGINT or SIGTERM; then it drains. A second signal ends it at once. */
async function main(): Promise<void> {
  const config = readGatewayConfig()
  // Only for its logger, which all of our processes have alike.
  const { log } = Fastify({ logger: { level: config.logLevel } })
  const gateway = await startGateway(config, {
    onError: (error) => log.error({ err: error }, 'request failed'),
    onReportError: (error) =>
      log.warn(
        { reason: String(error) },
        'the env-manager does not hear which environments are used; it is told later',
      ),
  })
  log.info({ port: gateway.port, healthPort: gateway.healthPort, domain: config.site.domain }, 'gateway is ready')
  const signal = await untilSignal()
  log.info({ signal }, 'gateway is stopping')
  for (const again of ['SIGINT', 'SIGTERM'] as const) process.once(again, () => process.exit(1))
  await gateway.stop()
}

function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
  })
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${isAppError(error) ? `${error.code}: ${error.message}` : String(error)}\n`)
  process.exitCode = 1
}
