import { systemClock } from '@tributary/kit'
import { buildApp } from './app.js'
import { signInWithDefaults } from './domain/sign-in-config.js'
import type { RouteDeps } from './http/route-deps.js'

/** The OpenAPI description of the whole API as text, the same on every machine: what the repository keeps. */
export async function renderOpenApi(): Promise<string> {
  // Describing routes calls none of their handlers, so there need not be anything behind them.
  const behind = {
    deps: { clock: systemClock, config: { signIn: signInWithDefaults() } },
    loop: {},
  } as unknown as Omit<RouteDeps, 'closing'>
  const app = await buildApp({
    ...behind,
    callers: { identify: async () => undefined },
    configPassThrough: { forward: () => Promise.reject(new TypeError('nothing is behind a description')) },
  })
  await app.ready()
  const description = app.swagger()
  await app.close()
  return `${JSON.stringify(description, null, 2)}\n`
}
