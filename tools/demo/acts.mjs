import { join } from 'node:path'
import { addButton, deleteBranch, pushBranch } from '../../examples/shop/branches.mjs'
import { createRepositories, linkSdk, writePlatformConfig } from '../../examples/shop/create-repositories.mjs'
import { getThroughGateway } from './gateway.mjs'
import { processesIn } from './left-over.mjs'
import { startPlatform } from './platform.mjs'
import { paint } from './stage.mjs'
import { fatal, waitFor } from './wait-for.mjs'

const BRANCH = 'feature/add-button'
const ENVIRONMENT = 'feature-add-button'
const BASE = 'integration'
const ORDERS = '/orders/orders'

/** From `git push` to the first 200; a busy or slow machine may need longer, which is said and is no failure. */
const PUSH_TARGET_MS = 2_000

/** Makes the two git repositories and the configuration that names them. */
export async function openRepositories({ data }) {
  const folder = join(data, 'demo')
  const repositories = await createRepositories({ directory: folder, contextFile: join(data, 'context.json') })
  // A demo that was interrupted may have left its branch behind.
  await deleteBranch({ repository: repositories.shop, branch: BRANCH }).catch(() => {})
  await linkSdk(data)
  const config = join(folder, 'tributary.config.yaml')
  await writePlatformConfig({ file: config, repositories, settings: { pollSeconds: 5 } })
  return { repositories, config, text: 'shop (web, orders, inventory) and payments, tagged v1.0' }
}

/** Starts the platform. */
export async function startTributary({ data, config, once, signal }) {
  const platform = await startPlatform({ data, config, anyPorts: once, signal })
  const details = [
    `config center ${platform.url}   env-manager ${platform.envManagerUrl}   gateway ${platform.gatewayUrl}`,
    ...platform.moved.map((port) => `port ${port} is taken, so another one is used`),
  ]
  return { platform, text: '`tributary up`: everything in one process', details }
}

/** Waits for the shared environment that all features fall back to. */
export async function bringUpIntegration({ platform, signal }) {
  const environment = await waitUntilReady(platform, BASE, { signal })
  await waitUntilGone(platform, ENVIRONMENT, signal)
  const names = environment.services.map(({ name }) => name).sort()
  return `${names.join(', ')} are ready`
}

/** Pushes a branch that changes one service, and measures until the new copy answers through the gateway. */
export async function pushFeature({ platform, repositories, signal }) {
  const { pushedAt, commitSha } = await pushBranch({
    repository: repositories.shop,
    branch: BRANCH,
    message: 'Let customers give an order as a gift',
    edit: (clone) => addButton(clone, 'gift'),
  })
  const short = commitSha.slice(0, 8)
  await waitFor(
    'an answer of the new copy of orders',
    async () => {
      const answer = await getThroughGateway(platform.gatewayUrl, ENVIRONMENT, ORDERS)
      if (!answer.version.endsWith(short)) return undefined
      return answer
    },
    { signal },
  ).catch(async (error) => {
    throw new Error(`${error.message}; ${await whyNotReady(platform, ENVIRONMENT)}`)
  })
  const ms = Date.now() - pushedAt
  const environment = await waitUntilReady(platform, ENVIRONMENT, { signal })
  return {
    text: `${BRANCH} changes orders: from git push to the first 200`,
    ms,
    details: [
      `${'preview'.padEnd(10)} ${environment.url}`,
      ...(ms > PUSH_TARGET_MS
        ? [paint('yellow', `longer than the ${PUSH_TARGET_MS / 1_000} s that are the target; is this machine busy?`)]
        : []),
      ...environment.services.map(({ name, url }) => `${name.padEnd(10)} ${url}`),
    ],
  }
}

/** Calls the feature: its own orders, and everything else from integration. */
export async function callFeature({ platform }) {
  const answer = await getThroughGateway(platform.gatewayUrl, ENVIRONMENT, ORDERS)
  expect(answer.tenant === ENVIRONMENT, 'orders of the feature should answer')
  expect(answer.buttons.includes('gift'), 'the answer should have the new button')
  expect(
    answer.inventory.tenant === BASE && answer.payments.tenant === BASE,
    'the others should fall back to integration',
  )
  return { text: 'its own orders answers; inventory and payments fall back', details: callTree(answer) }
}

/** Calls integration, which must not have noticed anything. */
export async function callIntegration({ platform }) {
  const answer = await getThroughGateway(platform.gatewayUrl, BASE, ORDERS)
  expect(answer.tenant === BASE, 'orders of integration should answer')
  expect(!answer.buttons.includes('gift'), 'integration should not have the new button')
  return { text: 'integration is as it was', details: callTree(answer) }
}

/** Changes config of the feature and waits until the running process has applied it. */
export async function changeConfig({ platform }) {
  const ref = { tenant: ENVIRONMENT, service: 'orders' }
  const startedAt = performance.now()
  const { convergence } = await platform.configCenter.patchDocument(
    ref,
    { pageSize: 5 },
    { waitMs: 5_000, reason: 'demo' },
  )
  const ms = performance.now() - startedAt
  expect(
    convergence?.converged === true && convergence.affected > 0,
    'the running orders should have applied the change',
  )
  const feature = await getThroughGateway(platform.gatewayUrl, ENVIRONMENT, ORDERS)
  const integration = await getThroughGateway(platform.gatewayUrl, BASE, ORDERS)
  expect(feature.pageSize === 5, 'the feature should show five orders')
  expect(integration.pageSize === 2, 'integration should still show two')
  return { text: `pageSize 2 -> 5 in the feature only, applied without a restart (${subscribers(convergence)})`, ms }
}

/** Asks who answers a call, and why. */
export async function explain({ platform }) {
  const calls = await Promise.all(
    ['orders', 'inventory'].map((call) => platform.envManager.explainCall(ENVIRONMENT, call)),
  )
  return { text: 'who answers a call, and why', details: calls.map(({ summary }) => summary) }
}

/** Deletes the branch, waits until everything is gone, and shows the proof. */
export async function removeFeature({ platform, repositories, signal }) {
  const startedAt = performance.now()
  await deleteBranch({ repository: repositories.shop, branch: BRANCH })
  await waitUntilGone(platform, ENVIRONMENT, signal)
  const { receipts } = await platform.envManager.listReceipts(ENVIRONMENT)
  const receipt = receipts.toSorted((left, right) => right.generation - left.generation)[0]
  expect(receipt !== undefined, 'there should be a receipt')
  const details = receipt.resources.map(({ kind, evidence }) => `${kind.padEnd(12)} ${paint('gray', evidence)}`)
  return {
    text: `the branch is deleted; the receipt proves ${receipt.resources.length} things gone`,
    ms: performance.now() - startedAt,
    details,
  }
}

/** Ends the platform, and looks whether a process is left. */
export async function stopTributary({ platform, data }) {
  await platform.stop()
  const left = await processesIn(data)
  expect(left === undefined || left.length === 0, `processes are left: ${left?.join(', ')}`)
  return 'Ctrl-C: no process is left'
}

async function waitUntilReady({ envManager }, name, { signal }) {
  return waitFor(
    `${name} becoming ready`,
    async () => {
      const environment = await envManager.getEnvironment(name)
      if (environment.phase === 'ready') return environment
      if (environment.phase === 'failed' && environment.currentRunId === null) throw fatal(troubleOf(environment))
      throw new Error(`it is ${environment.phase}`)
    },
    { signal, timeoutMs: 60_000 },
  )
}

async function waitUntilGone({ envManager }, name, signal) {
  await waitFor(
    `${name} being gone`,
    async () => {
      const { environments } = await envManager.listEnvironments()
      return environments.some((environment) => environment.name === name) ? undefined : true
    },
    { signal },
  )
}

async function whyNotReady({ envManager }, name) {
  return envManager.getEnvironment(name).then(troubleOf, (error) => error.message)
}

function troubleOf({ name, phase, conditions }) {
  const messages = conditions.filter(({ status }) => status === 'False').map(({ message }) => message)
  return `${name} is ${phase}: ${messages.join('; ') || 'nothing more is known'}`
}

function callTree({ inventory, payments, ...orders }) {
  const line = ({ service, tenant, version, error }) =>
    `${service.padEnd(10)} ${error === undefined ? `${paint(tenant === BASE ? 'gray' : 'green', tenant.padEnd(19))} ${version}` : paint('red', error)}`
  return [
    `${line(orders)}  buttons: ${orders.buttons.join(', ')}`,
    `├─ ${line(inventory)}`,
    `└─ ${line(payments)}`,
    ...(payments.callback === undefined ? [] : [`   └─ ${line(payments.callback)}  called back`]),
  ]
}

function subscribers({ affected }) {
  return affected === 1 ? '1 subscriber' : `${affected} subscribers`
}

function expect(holds, message) {
  if (!holds) throw new Error(message)
}
