import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { repositoryRoot } from '@tributary/testkit'
import { chromium } from 'playwright-core'
import type { Figure } from '../result.js'
import { within } from './bounded.js'
import { ENVIRONMENTS, listFigures } from './list-figures.js'
import { answersFor, topologyOf } from './scripted-api.js'
import { startScriptedServer } from './scripted-server.js'
import { SERVICES, topologyFigures } from './topology-figures.js'

const CHROMIUM = '/usr/bin/chromium'
const DIRECTORY = path.join(repositoryRoot, 'console/dist')
const MAX_BUNDLE_KB = 350

/** The console in Chromium with a scripted API: how much is loaded, how soon a large topology stands, and how it moves. Every wait is bounded. */
export async function consoleBench(): Promise<Figure[]> {
  const size = bundleFigure()
  if (!existsSync(CHROMIUM)) {
    process.stderr.write(`console: only the size was measured: ${CHROMIUM} is missing: apt-get install -y chromium\n`)
    return [size]
  }
  const server = await startScriptedServer(DIRECTORY, answersFor(ENVIRONMENTS, topologyOf(SERVICES)))
  const launching = chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] })
  const browser = await within('the browser', launching)
  try {
    return [size, ...(await topologyFigures(browser, server.url)), ...(await listFigures(browser, server.url))]
  } finally {
    await within('the end of the browser', browser.close())
    await within('the end of the scripted server', server.close())
  }
}

/** Everything that the first page loads: the page, and the scripts and styles that it names. */
function bundleFigure(): Figure {
  const html = readFileSync(path.join(DIRECTORY, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\/console\/([^"]+)"/g)].map(([, file = '']) => file)
  const bytes = ['index.html', ...named].map((file) => gzipSync(readFileSync(path.join(DIRECTORY, file))).length)
  return {
    name: 'first page, gzip',
    value: bytes.reduce((sum, one) => sum + one, 0) / 1024,
    unit: 'KB',
    target: { text: `<= ${MAX_BUNDLE_KB} KB`, holds: (value) => value <= MAX_BUNDLE_KB },
  }
}
