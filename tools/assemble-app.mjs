// node tools/assemble-app.mjs FOLDER: everything that an image of Tributary holds, and nothing else. The Dockerfile and the tests ship the same.
// Our packages' builds, production dependencies as package-lock.json has them, the chart of services, and the console.
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { prepare, root } from './lib/prepare.mjs'
import { productionClosure } from './lib/production-closure.mjs'

const WORKSPACES = [
  'packages/contract',
  'packages/kit',
  'packages/store',
  'packages/client',
  'sdk',
  'services/config-center',
  'services/env-manager',
  'cli',
]
const SHIPPED = ['package.json', 'LICENSE', 'charts/service', 'console/dist', 'cli/bin']
/** Types and maps are for those who build; a running program reads neither. */
const NOT_RUN = /\.(d\.[cm]?ts|map|tsbuildinfo)$/
const TESTS = /\.(test|test-support)\.[cm]?js$/

const [target] = process.argv.slice(2)
if (target === undefined || (existsSync(target) && readdirSync(target).length > 0)) {
  console.error('usage: node tools/assemble-app.mjs FOLDER (new or empty)')
  process.exit(2)
}
prepare()
for (const name of SHIPPED.filter((each) => existsSync(path.join(root, each)))) copy(name)
for (const workspace of WORKSPACES) {
  copy(`${workspace}/package.json`)
  copy(`${workspace}/dist`, (file) => !TESTS.test(file))
  link(workspace)
}
for (const folder of productionClosure(root, WORKSPACES)) copy(folder, (file) => !isNested(folder, file))
console.log(`assembled ${path.resolve(target)}`)

function copy(name, isWanted = () => true) {
  const from = path.join(root, name)
  const filter = (file) => !NOT_RUN.test(file) && isWanted(file)
  cpSync(from, path.join(target, name), { recursive: true, filter, verbatimSymlinks: true })
}

/** A package's own node_modules are packages of their own in the lock. */
function isNested(folder, file) {
  return path.relative(path.join(root, folder), file).split(path.sep)[0] === 'node_modules'
}

function link(workspace) {
  const name = `@tributary/${path.basename(workspace)}`
  const at = path.join(target, 'node_modules', name)
  mkdirSync(path.dirname(at), { recursive: true })
  symlinkSync(path.join('../..', workspace), at)
}
