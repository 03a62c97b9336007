import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { createRepositories, linkSdk } from '../../examples/shop/create-repositories.mjs'
import { GitFixture } from './git-fixture.js'
import type { PlatformFixture } from './platform.js'

/** Repositories of the example shop, for people who look at it in a browser. */
export interface ConsoleWorld {
  readonly shop: GitFixture
  readonly payments: GitFixture
}

/** Starts the platform with the shop; integration is ready. */
export async function startConsoleWorld(platform: PlatformFixture): Promise<ConsoleWorld> {
  const git = path.join(platform.directory, 'git')
  await mkdir(git)
  const urls = await createRepositories({ directory: git, contextFile: path.join(platform.data, 'context.json') })
  await linkSdk(platform.directory)
  const shop = await GitFixture.open(urls.shop, path.join(git, 'shop-clone'))
  const payments = await GitFixture.open(urls.payments, path.join(git, 'payments-clone'))
  await platform.writeConfig({
    repositories: { ...urls },
    settings: { pollSeconds: 1, drainSeconds: 1 },
  })
  await platform.start()
  await platform.untilReady('integration')
  return { shop, payments }
}

/** The change of `orders` that makes a branch own it: its list of buttons, which it also prints when it starts. */
export function withButtons(...buttons: readonly string[]): Readonly<Record<string, string>> {
  const text = `export const BUTTONS = ${JSON.stringify(buttons)}\nconsole.log('orders sells buttons: ' + BUTTONS)\n`
  return { 'orders/buttons.mjs': text }
}

/** A version of `orders` that ends at once, and says why with text that would like to be a script. */
export const BROKEN_ORDERS = {
  'orders/server.mjs': `console.log('starting orders')
console.error('Error: connect ECONNREFUSED db.internal:5432 <img src=x onerror=alert(1)><script>alert(2)</script>')
process.exit(1)
`,
}
