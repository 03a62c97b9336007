import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { repositoryRoot } from '@tributary/testkit'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

/** What tests in a browser need on the machine. */
export const CHROMIUM = { command: '/usr/bin/chromium', debianPackage: 'chromium' } as const

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** No other address than the page's own is ever asked for. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Builds the console where its sources have changed. */
export async function buildConsoleFiles(): Promise<void> {
  await promisify(execFile)(process.execPath, [path.join(repositoryRoot, 'tools/build-console.mjs')])
}

/** Builds the console where its sources have changed, and starts a browser. */
export async function openBrowser(): Promise<Browser> {
  await buildConsoleFiles()
  return chromium.launch({ executablePath: CHROMIUM.command, args: ARGUMENTS })
}

/** A page of its own with what went wrong in it: errors of scripts, of the content policy, and dialogs that only a script can open. */
export interface WatchedPage {
  readonly page: Page
  readonly context: BrowserContext
  readonly mishaps: string[]
}

/** Opens a page as a person with a fresh browser would. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options })
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const mishaps: string[] = []
  page.on('pageerror', (error) => mishaps.push(`error: ${error.message}`))
  page.on('dialog', (dialog) => {
    mishaps.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', (message) => {
    if (/content security policy|refused to/i.test(message.text())) mishaps.push(`policy: ${message.text()}`)
  })
  return { page, context, mishaps }
}

/** Opens the console and signs in with a token, as a person does. */
export async function signIn(
  page: Page,
  { url, token }: { readonly url: string; readonly token: string },
): Promise<void> {
  await page.goto(`${url}/console/`)
  await page.getByLabel('Token', { exact: true }).fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Environments' }).waitFor()
}

/** What axe finds on the page that keeps people out (serious or critical), each as one line. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Evaluated by the browser's debugger: the page's own content policy stays as strict as it is.
  await page.evaluate(await readText(AXE))
  const found: unknown = await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')
  if (!isAxeResult(found)) throw new Error('axe answered something else than results')
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    )
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly nodes: readonly { readonly target: readonly string[]; readonly failureSummary: string }[]
  }[]
}

function isAxeResult(value: unknown): value is AxeResult {
  return typeof value === 'object' && value !== null && 'violations' in value && Array.isArray(value.violations)
}

async function readText(file: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return readFile(file, 'utf8')
}
