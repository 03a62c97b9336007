// npm run generate: writes everything in docs/reference from the code. Tests fail while a file there is stale.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseAllDocuments } from 'yaml'
import { renderPermissions } from './lib/permissions-reference.mjs'
import { prepare, root } from './lib/prepare.mjs'

prepare()

const [kit, configCenter, envManager, store, sdk, cli, testkit] = await Promise.all(
  [
    'packages/kit',
    'services/config-center',
    'services/env-manager',
    'packages/store',
    'sdk',
    'cli',
    'packages/testkit',
  ].map((folder) => import(path.join(root, folder, 'dist/index.js'))),
)

const files = {
  'config-center.openapi.json': await configCenter.renderOpenApi(),
  'env-manager.openapi.json': await envManager.renderOpenApi(),
  'service.schema.json': envManager.renderServiceSchema(),
  'cli.md': cli.renderCliReference(),
  'permissions.md': renderPermissions(await chartObjects(), await meshObjects()),
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

/** What `charts/tributary` makes for each service mesh. */
async function meshObjects() {
  const kinds = ['gamma', 'istio', 'none']
  return Object.fromEntries(
    await Promise.all(kinds.map(async (mesh) => [mesh, await chartObjects({ kubernetes: { mesh } })])),
  )
}

/** What `charts/tributary` makes with the least that it needs, and more. */
async function chartObjects(more = {}) {
  const { helm } = await testkit.kubeTools()
  const repositories = [{ name: 'shop', url: 'https://git.example.com/shop.git' }]
  const values = JSON.stringify({ repositories, ...more })
  const args = [
    'template',
    '--namespace=tributary',
    '--kube-version=v1.28.0',
    '-f',
    '-',
    '--',
    'tributary',
    'charts/tributary',
  ]
  const printed = execFileSync(helm, args, { cwd: root, input: values, encoding: 'utf8' })
  return parseAllDocuments(printed).map((document) => document.toJS())
}
