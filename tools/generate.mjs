// npm run generate: writes everything in docs/reference from the code. Tests fail while a file there is stale.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { prepare, root } from './lib/prepare.mjs'

prepare()

const [kit, configCenter, envManager, store, sdk, cli] = await Promise.all(
  ['packages/kit', 'services/config-center', 'services/env-manager', 'packages/store', 'sdk', 'cli'].map(
    (folder) => import(path.join(root, folder, 'dist/index.js')),
  ),
)

const files = {
  'config-center.openapi.json': await configCenter.renderOpenApi(),
  'env-manager.openapi.json': await envManager.renderOpenApi(),
  'service.schema.json': envManager.renderServiceSchema(),
  'cli.md': cli.renderCliReference(),
  'errors.md': kit.renderErrorReference([
    ['Config center', configCenter.CONFIG_CENTER_ERRORS],
    ['Env-manager', envManager.ENV_MANAGER_ERRORS],
    ['Store', store.STORE_ERRORS],
    ['SDK', sdk.SDK_ERRORS],
    ['CLI', cli.CLI_ERRORS],
  ]),
}

const directory = path.join(root, 'docs/reference')
mkdirSync(directory, { recursive: true })
for (const [name, text] of Object.entries(files)) {
  writeFileSync(path.join(directory, name), text)
  console.log(`wrote docs/reference/${name}`)
}
