// npm run screenshots: starts the platform with the example shop, opens each page of the console in Chromium, and writes docs/pictures.
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { prepare, root } from './lib/prepare.mjs'

prepare()

const { chromium } = await import('playwright-core')
const { createRepositories, linkSdk, writePlatformConfig } = await import('../examples/shop/create-repositories.mjs')
const { addButton, pushBranch } = await import('../examples/shop/branches.mjs')
const { startPlatform } = await import('./demo/platform.mjs')
const { waitFor } = await import('./demo/wait-for.mjs')

const PICTURES = path.join(root, 'docs/pictures')
const FEATURE = 'feature-add-button'
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update']
const DESKTOP = { width: 1440, height: 900 }
const PHONE = { width: 390, height: 844 }
/** Each page: its file's name, its place, and what tells that it stands. */
const PAGES = [
  ['environments', 'environments', 'text=feature-add-button'],
  ['topology', `environments/${FEATURE}/topology?node=orders`, '.edge-label text'],
  [
    'follow-a-call',
    `environments/${FEATURE}/topology?mode=follow&from=web&to=payments`,
    '.hop:nth-child(3) .state-word',
  ],
  ['difference', `environments/${FEATURE}/topology?mode=diff`, '.differences .table'],
  ['overview', `environments/${FEATURE}/overview`, 'text=Ledger'],
  ['run', undefined, '.cause-log'],
  ['config', `config/${FEATURE}/orders`, '.editor-host'],
  ['effective-value', `config/${FEATURE}/orders?tab=effective`, '.value .chip-own'],
  ['platform', 'platform', 'text=Audit log'],
]
/** Other looks of the pages that the guide shows; all pages in all looks are written with `--all`. */
const CHOSEN = new Set(['environments-phone', 'topology-dark', 'topology-phone'])
const all = process.argv.includes('--all')

const directory = await realpath(await mkdtemp(path.join(tmpdir(), 'tributary-pictures-')))
const signal = AbortSignal.timeout(300_000)
const platform = await start()
try {
  await furnish()
  await takePictures()
} finally {
  await platform.stop()
  await rm(directory, { recursive: true, force: true })
}

async function start() {
  const data = path.join(directory, '.tributary')
  await mkdir(data)
  const git = path.join(directory, 'git')
  const repositories = await createRepositories({ directory: git, contextFile: path.join(data, 'context.json') })
  await linkSdk(directory)
  const config = path.join(directory, 'tributary.config.yaml')
  await writePlatformConfig({ file: config, repositories, settings: { pollSeconds: 1, drainSeconds: 1 } })
  return { ...(await startPlatform({ data, config, anyPorts: true, signal })), repositories }
}

/** Branches that are ready, broken and masked; calls; config of a feature. */
async function furnish() {
  const { shop } = platform.repositories
  const push = (branch, message, edit) => pushBranch({ repository: shop, branch, message, edit })
  await push('feature/add-button', 'Sell gift cards', (clone) => addButton(clone, 'gift'))
  await push('feature/checkout-redesign', 'Redesign the checkout', (clone) =>
    writeFile(
      path.join(clone, 'orders/server.mjs'),
      "console.error('Error: connect ECONNREFUSED db.internal:5432')\nprocess.exit(1)\n",
    ),
  )
  await push('feature/without-stock', 'Sell without a stock', async (clone) => {
    await addButton(clone, 'preorder')
    await writeFile(
      path.join(clone, 'tributary.yaml'),
      'apiVersion: tributary/v1\nkind: Environment\nmask: [inventory]\n',
    )
  })
  for (const name of ['integration', FEATURE, 'feature-without-stock']) await untilPhase(name, 'ready')
  await untilPhase('feature-checkout-redesign', 'failed')
  await platform.configCenter.applyDocument({ tenant: FEATURE, service: 'orders' }, { pageSize: 5 })
  for (let count = 0; count < 12; count += 1) {
    await call(FEATURE, '/orders/orders')
    await call(FEATURE, '/payments/quote?amount=10')
    await call(FEATURE, '/web/')
  }
  await waitFor(
    'calls to be observed',
    async () => {
      const { edges } = await platform.envManager.getTopology(FEATURE)
      if (edges.every(({ observed }) => observed === null)) throw new Error('none is reported yet')
      return true
    },
    { signal },
  )
}

async function untilPhase(name, phase) {
  await waitFor(
    `${name} to be ${phase}`,
    async () => {
      const now = (await platform.envManager.getEnvironment(name)).phase
      if (now !== phase) throw new Error(`it is ${now}`)
      return true
    },
    { signal },
  )
}

function call(environment, url) {
  const { hostname, port } = new URL(platform.gatewayUrl)
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path: url, headers: { host: `${environment}.localhost:${port}` } },
      (answer) => {
        answer.resume()
        answer.on('end', resolve)
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

async function takePictures() {
  const token = (await import('node:fs')).readFileSync(platform.tokenFile, 'utf8').trim()
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ARGUMENTS })
  const { runs } = await platform.envManager.listRuns({ environment: 'feature-checkout-redesign' })
  const failed = runs.find(({ state }) => state === 'failed')?.runId
  await rm(PICTURES, { recursive: true, force: true })
  await mkdir(PICTURES, { recursive: true })
  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of [DESKTOP, PHONE]) {
      const context = await browser.newContext({ viewport, colorScheme, locale: 'en-GB', reducedMotion: 'reduce' })
      const page = await context.newPage()
      await page.goto(`${platform.envManagerUrl}/console/`)
      await page.fill('input[type=password]', token)
      await page.keyboard.press('Enter')
      await page.waitForSelector('.shell')
      for (const [name, place, stands] of PAGES) {
        const look = `${colorScheme === 'dark' ? '-dark' : ''}${viewport === PHONE ? '-phone' : ''}`
        if (!all && look !== '' && !CHOSEN.has(`${name}${look}`)) continue
        await page.goto(`${platform.envManagerUrl}/console/#/${place ?? `runs/${failed}`}`)
        await page.locator(stands).first().waitFor()
        await page.getByText('Loading …').first().waitFor({ state: 'detached' })
        await page.screenshot({ path: path.join(PICTURES, `${name}${look}.png`), animations: 'disabled' })
        console.log(`wrote docs/pictures/${name}${look}.png`)
      }
      await context.close()
    }
  }
  await browser.close()
}
